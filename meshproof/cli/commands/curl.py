"""``curl``: send one request as a workload would."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.headers import parse_header
from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, client
from meshproof.cli.output import print_message, show_json
from meshproof.errors import MeshproofError, UsageError

_GATEWAY_HINT = (
    "curl: the gateway sends no requests of its own; to send one through it: "
    "curl $(meshproof url gateway)/PATH"
)


@app.command()
def curl(
    url: Annotated[str, typer.Argument(show_default=False)],
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="WORKLOAD", help="The workload that sends it.")
    ],
    method: Annotated[
        str, typer.Option("-X", "--request", help="HTTP method; by default GET, or POST with -d.")
    ] = "",
    header: Annotated[list[str], typer.Option("-H", "--header", help="'Name: value'.")] = [],  # noqa: B006  (typer copies it)
    data: Annotated[
        str | None,
        typer.Option("-d", "--data", help="The body: text, @FILE or @- (standard input)."),
    ] = None,
    include: Annotated[
        bool, typer.Option("-i", "--include", help="Print status and headers too.")
    ] = False,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Send one request from a workload through its sidecar; print the response's body."""
    headers = [parse_header("curl", text) for text in header]
    body = _read_body(data)
    if data is not None and not any(key.lower() == "content-type" for key, _ in headers):
        headers.append(("content-type", "application/x-www-form-urlencoded"))
    method = method or ("GET" if data is None else "POST")
    try:
        answer = client(name).curl(source, url, method, headers, body)
    except MeshproofError as error:
        if source == "gateway" and "no workload gateway" in str(error):
            raise UsageError(_GATEWAY_HINT) from error
        raise
    if output is Format.JSON:
        show_json({**answer, "body": answer["body"].decode(errors="replace")})
    else:
        head = _format_head(answer["status"], answer["headers"]) if include else b""
        sys.stdout.buffer.write(head + answer["body"])
        sys.stdout.buffer.flush()
    if answer["refused_by"]:
        mid_line = output is Format.TEXT and answer["body"][-1:] not in (b"", b"\n")
        print_message(f"{chr(10) if mid_line else ''}refused: {answer['refused_by']}")


def _read_body(data: str | None) -> bytes:
    if data is None:
        return b""
    if data == "@-":
        return sys.stdin.buffer.read()
    if data.startswith("@"):
        try:
            return Path(data[1:]).read_bytes()
        except OSError as error:
            raise UsageError(f"curl: -d {data}: {error.strerror}") from None
    return data.encode()


def _format_head(status: int, headers: list[list[str]]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{key}: {value}" for key, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1", errors="replace")
