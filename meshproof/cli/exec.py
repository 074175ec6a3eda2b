"""``exec`` and ``curl``: do something as a workload would, its way out included."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from meshproof.cli.options import DEFAULT_NAME, Format, Name, Output, Workload, client
from meshproof.cli.output import say, show_json
from meshproof.errors import MeshproofError, UsageError
from meshproof.host.process_identity import RUN_ID_VARIABLE

_WAY_IN = (
    "curl: the gateway is the way in: curl $(meshproof url gateway)/PATH sends a request there"
)


class CommandError(MeshproofError):
    """As a shell says it: 127 where there is no such program, 126 where it cannot be run."""

    def __init__(self, command: str, error: OSError) -> None:
        self.exit_code = 127 if isinstance(error, FileNotFoundError) else 126
        super().__init__(f"{command}: {error.strerror}")


def exec_(
    workload: Workload,
    command: Annotated[list[str], typer.Argument(metavar="-- CMD...", show_default=False)],
    name: Name = DEFAULT_NAME,
) -> None:
    """Run a command as a workload's container would, so that its requests leave by the sidecar.

    On a cluster it runs in the workload's pod; else here, with the workload's environment.
    """
    words = command[1:] if command[0] == "--" else command
    if not words:
        raise UsageError("exec: no command; wanted exec WORKLOAD -- CMD...")
    mesh = client(name)
    there = mesh.command(workload, terminal=sys.stdin.isatty() and sys.stdout.isatty())
    words = [*there, *words]
    env = dict(os.environ) if there else mesh.environment(workload)
    # The command is the caller's, not the mesh's: it is not ended with the mesh.
    env.pop(RUN_ID_VARIABLE, None)
    env["PATH"] = os.environ.get("PATH", os.defpath)
    try:
        os.execvpe(words[0], words, env)  # noqa: S606  (this process becomes the command)
    except OSError as error:
        raise CommandError(words[0], error) from None


def curl(
    url: Annotated[str, typer.Argument(show_default=False)],
    *,
    source: Annotated[str, typer.Option("--from", metavar="WORKLOAD", help="Who sends it.")],
    method: Annotated[str, typer.Option("-X", "--request", help="GET, or POST with -d.")] = "",
    header: Annotated[list[str], typer.Option("-H", "--header", help="'Name: value'.")] = [],  # noqa: B006  (typer copies it)
    data: Annotated[str | None, typer.Option("-d", "--data", help="Text, @FILE or @-.")] = None,
    include: Annotated[bool, typer.Option("-i", "--include", help="Status, headers too.")] = False,
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Send one request from a workload through its sidecar, and print the answer's body alone."""
    headers = [header_of("curl", text) for text in header]
    body = _body(data)
    if data is not None and not any(key.lower() == "content-type" for key, _ in headers):
        headers.append(("content-type", "application/x-www-form-urlencoded"))
    method = method or ("GET" if data is None else "POST")
    try:
        answer = client(name).curl(source, url, method, headers, body)
    except MeshproofError as error:
        if source == "gateway" and "no workload gateway" in str(error):
            raise UsageError(_WAY_IN) from error
        raise
    if output is Format.JSON:
        show_json({**answer, "body": answer["body"].decode(errors="replace")})
    else:
        head = _head(answer["status"], answer["headers"]) if include else b""
        sys.stdout.buffer.write(head + answer["body"])
        sys.stdout.buffer.flush()
    if answer["refused_by"]:
        mid_line = output is Format.TEXT and answer["body"][-1:] not in (b"", b"\n")
        say(f"{chr(10) if mid_line else ''}refused: {answer['refused_by']}")


def header_of(verb: str, text: str) -> tuple[str, str]:
    """A header as ``-H`` writes it. Raises UsageError where it is none."""
    key, colon, value = text.partition(":")
    if not colon or not key.strip():
        raise UsageError(f"{verb}: -H {text!r}: wanted 'Name: value'")
    return key.strip(), value.strip()


def _body(data: str | None) -> bytes:
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


def _head(status: int, headers: list[list[str]]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{key}: {value}" for key, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1", errors="replace")
