"""What the YAML parser said, in plain words and with a way out."""

from __future__ import annotations

import yaml

from meshproof.errors import Problem

_TAB = ("a tab stands where YAML allows only spaces", "indent with spaces")
_PLAIN = (
    # (part of libyaml's or PyYAML's words, what it means, what to do)
    (
        "mapping values are not allowed",
        "a key stands where none can",
        'check the indentation, put a space after each ":", and quote a text that contains ": "',
    ),
    (
        "did not find expected key",
        "the indentation fits no mapping that is open here",
        "give all keys of one mapping the same indentation",
    ),
    (
        "did not find expected '-' indicator",
        "the indentation fits no list that is open here",
        'begin each entry with "- " at the same indentation',
    ),
    (
        "did not find expected ',' or ']'",
        "a [ is not closed, or a comma is missing",
        "close it with ]",
    ),
    (
        "did not find expected ',' or '}'",
        "a { is not closed, or a comma is missing",
        "close it with }",
    ),
    ("could not find expected ':'", "a key has no value", 'put ": " after the key'),
    ("found unexpected end of stream", "a quotation mark is not closed", "close it"),
    ("found undefined alias", "an alias names an anchor that was not set before", ""),
    ("cannot start any token", "a character that cannot begin a text", "quote the text"),
    ("control characters are not allowed", "a control character", "remove it"),
    ("special characters are not allowed", "a control character", "remove it"),
)


def explain(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """One problem for a text that is not YAML; the line is where the parser stopped."""
    said, line, column = _said(error, text)
    lines = text.splitlines()
    here = lines[line - 1][: column + 1] if 0 < line <= len(lines) else ""
    meaning, remedy = next(
        ((m, r) for part, m, r in _PLAIN if part in said), ("it cannot be read", "")
    )
    if "\t" in here and not here.replace("\t", "").strip():
        meaning, remedy = _TAB
    since = _opened(error)
    began = f", opened in line {since}" if since and since != line else ""
    return Problem(file, line, "", "", f"broken YAML: {meaning}{began} ({said})", "", remedy)


def _opened(error: yaml.YAMLError) -> int:
    """The line where the construct that failed had begun, or 0."""
    mark = getattr(error, "context_mark", None)
    return mark.line + 1 if mark else 0


def _said(error: yaml.YAMLError, text: str) -> tuple[str, int, int]:
    """The parser's own words, the line counted from 1, the column counted from 0."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = str(error.problem or error.context or error)
        return (said, mark.line + 1, mark.column) if mark else (said, 0, 0)
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        column = len(before) - before.rfind("\n") - 1
        return str(error.reason), before.count("\n") + 1, column
    return str(error), 0, 0
