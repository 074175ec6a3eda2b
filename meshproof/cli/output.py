"""What commands print: data to standard output, everything else to standard error, unwrapped."""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Sequence
from typing import Any

from meshproof.cli.options import Format
from meshproof.errors import MeshproofError, Problem, Refused


class Verbosity(enum.IntEnum):
    """How much is printed besides the data."""

    QUIET = 0
    """Warnings and errors."""
    NORMAL = 1
    VERBOSE = 2
    """Everything that the command waits for."""


_verbosity = [Verbosity.NORMAL]


def verbosity() -> Verbosity:
    return _verbosity[0]


def set_verbosity(level: Verbosity) -> None:
    _verbosity[0] = level


def print_message(line: str) -> None:
    """Warnings, errors, and what the user asked for."""
    print(line, file=sys.stderr, flush=True)


def print_info(line: str) -> None:
    """What the command is doing: left out by ``-q``."""
    if verbosity() is not Verbosity.QUIET:
        print_message(line)


def format_error(error: BaseException) -> str:
    """One line a problem, each beginning with its file; anything else begins with ``error:``. The
    error's notes follow."""
    complete = isinstance(error, Refused | ForwardedError)
    text = str(error) if complete else f"error: {error}"
    return "\n".join([text, *getattr(error, "__notes__", ())])


class ForwardedError(MeshproofError):
    """An error of another process, whose text is complete as it is."""

    def __init__(self, text: str, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(text)


def show_json(data: Any) -> None:
    print(json.dumps(data, indent=2), flush=True)


def show_applied(applied: dict[str, Any], output: Format) -> None:
    """A change's evidence: one line a resource, as kubectl words it, and the warnings."""
    if output is Format.JSON:
        show_json(applied)
        return
    for line in applied["resources"]:
        print(line)
    sys.stdout.flush()
    for warning in applied["warnings"]:
        print_message(f"warning: {Problem(**warning)}")
    for note in applied.get("notes", ()):
        print_message(f"note: {note}")
    sidecars = len({ack["sidecar"] for ack in applied["acks"]})
    plural = "" if sidecars == 1 else "s"
    print_info(f"live on {sidecars} sidecar{plural} after {applied['seconds'] * 1000:.0f} ms")


def show_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns; drawn by rich on a terminal, plain and untruncated where a program reads them."""
    if sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415  (slow, and only terminals want it)
        from rich.table import Table  # noqa: PLC0415

        table = Table(*headers, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*row)
        Console(markup=False, highlight=False).print(table)
        return
    lines = [[header.upper() for header in headers], *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headers))]
    for line in lines:
        print("   ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip())
    sys.stdout.flush()
