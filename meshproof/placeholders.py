"""``{ip}``, ``{port}``, ... in the commands and variables of a project file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from meshproof.errors import UsageError

OWN_COMMAND = "{command}"
"""Stands for any number of arguments, and so is an argument of its own."""
PLACEHOLDERS: Mapping[str, str] = {
    "python": "the Python that runs meshproof",
    "ip": "the address that the process should listen on",
    "port": "the port that the process should listen on",
    "socket": "the Unix socket that the process should listen on instead",
    "spans": "the URL of the mesh's span store, for OTEL_EXPORTER_OTLP_ENDPOINT",
    "dir": "a folder of that process alone, gone with the mesh",
    "here": "the folder of the file that says so",
    "files": "the folder below which a container's volumes are mounted",
    "command": "as an argument of its own: the container's command in its manifest, with {python} "
    "as its python",
}

_PLACEHOLDER = re.compile(r"\{\{(?P<literal>\w+)\}\}|\{(?P<name>[A-Za-z_]\w*)\}")


def names_in(text: str) -> list[str]:
    """The placeholders of a text; ``{{name}}`` is none, and stands for ``{name}``."""
    return [m["name"] for m in _PLACEHOLDER.finditer(text) if m["name"]]


def check_placeholders(text: str) -> str:
    """``text``, or a ValueError when it holds a placeholder that does not exist."""
    for name in names_in(text):
        if name not in PLACEHOLDERS:
            expected = ", ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)
            message = f"has an unknown placeholder {{{name}}}"
            raise ValueError(f"{message}; wanted {expected}, or {{{{{name}}}}} for the text itself")
    return text


def expand(command: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The arguments of a command with their placeholders replaced.

    Raises UsageError for a placeholder without a value.
    """
    return [expand_text(argument, values) for argument in command]


def expand_text(text: str, values: Mapping[str, str]) -> str:
    """One argument or one variable's value with its placeholders replaced."""

    def value(match: re.Match[str]) -> str:
        if match["literal"]:
            return f"{{{match['literal']}}}"
        if match["name"] not in values:
            raise UsageError(f"{match[0]} in {text!r} has no value for this process")
        return values[match["name"]]

    return _PLACEHOLDER.sub(value, text)


def fill(text: str, name: str, value: str) -> str:
    """One placeholder replaced, the others left for ``expand``."""
    literal = re.sub(r"\{(\w+)\}", r"{{\1}}", value)
    return _PLACEHOLDER.sub(lambda match: literal if match["name"] == name else match[0], text)
