"""Whether a command printed what its page shows. Pure.

Pages show real outputs. What differs from run to run is compared by its form (``FORMS``): where
the page shows a time, there must be a time, and any will do. Beyond that ``...`` stands for
anything: within a line for the rest of it or a part, alone on a line for any number of lines.
Blanks at the end of a line, and the widths of a table's columns, are not compared.
"""

from __future__ import annotations

import difflib
import re

_FORMS = {
    "uuid": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    "time": r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+\d\d:\d\d)?",
    "clock": r"\b\d\d:\d\d:\d\d\.\d+\b",
    "trace": r"\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b",
    "address": r"\b(?:127\.\d{1,3}|10\.244)\.\d{1,3}\.\d{1,3}(?::\d+)?\b",
    "replica": r"(?<=[a-z0-9])-(?:[0-9a-f]{5}-\d+|[0-9a-f]{8,10}-[a-z0-9]{5})\b",
    "duration": r"\b\d+(?:\.\d+)? m?s\b",
    "milliseconds": r'(?<="ms": )\d+(?:\.\d+)?\b',
}
FORMS = {name: re.compile(pattern) for name, pattern in _FORMS.items()}
"""What is compared by its form: request and message ids, times, times of day, trace and span ids,
addresses on loopback and of a kind cluster's pods, with their ports, the end of a replica's name
(ours, and a pod's), durations, and the milliseconds of the services' logs. In this order: the first
that fits takes the text."""

_SIDECARS = re.compile(r"(?<=live on )\d+(?= sidecars?\b)")
"""On a cluster every sidecar shows a change, whomever it concerns."""
_ANY = "..."
_PROGRESS = re.compile(r"<duration>: .*")
"""What a command prints while it waits long; how often depends on the machine."""


def plain(text: str, *, on_cluster: bool = False) -> str:
    """The text with every volatile part replaced by ``<its form>``, and blanks made even."""
    if on_cluster:
        text = _SIDECARS.sub("<number>", text)
    for name, form in FORMS.items():
        text = form.sub(f"<{name}>", text)
    lines = text.strip("\n").split("\n")
    lasting = (line for line in lines if not _PROGRESS.fullmatch(line))
    return "\n".join(re.sub(r"(?<=\S) {2,}", "  ", line.rstrip()) for line in lasting)


def same(wanted: str, found: str, *, on_cluster: bool = False) -> bool:
    """``found`` is what a page that shows ``wanted`` promises."""
    parts = (
        r"(?:.*\n)*" if line == _ANY else ".*".join(map(re.escape, line.split(_ANY))) + r"\n"
        for line in plain(wanted, on_cluster=on_cluster).split("\n")
    )
    text = plain(found, on_cluster=on_cluster) + "\n"
    return re.fullmatch("".join(parts), text) is not None


def difference(wanted: str, found: str) -> str:
    """What the page shows against what came, for a reader; lines of a diff."""
    lines = difflib.unified_diff(
        wanted.strip("\n").split("\n"), found.strip("\n").split("\n"), "the page", "this run",
        lineterm="", n=99,
    )  # fmt: skip
    return "\n".join(lines)
