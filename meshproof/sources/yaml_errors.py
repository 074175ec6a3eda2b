"""Errors of the YAML parser in plain words, with a remedy."""

from __future__ import annotations

import re

import yaml

from meshproof.errors import Problem

_TAB = ("a tab stands where YAML allows only spaces", "indent with spaces")
_STAR = ("a value that begins with * is an alias to YAML", 'quote it, such as "*.shop.test"')
_QUOTE = "quote a string that begins with *"
_EXPLANATIONS = (
    # (part of libyaml's or PyYAML's message, what it means, what to do)
    (
        "did not find expected alphabetic",
        "a name after * or & is missing",
        "quote a string that begins with one of them",
    ),
    (
        "mapping values are not allowed",
        "a key stands where none can",
        'check the indentation, put a space after each ":", and quote a string that contains ": "',
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
    ("found undefined alias", "an alias names an anchor that was not set before", _QUOTE),
    ("cannot start any token", "a character that cannot begin a string", "quote the string"),
    ("control characters are not allowed", "a control character", "remove it"),
    ("special characters are not allowed", "a control character", "remove it"),
)


def explain(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """The problem of a text that is not YAML, at the line where the parser stopped."""
    message, line, column = _parse_error(error, text)
    lines = text.splitlines()
    before = lines[line - 1][: column + 1] if 0 < line <= len(lines) else ""
    meaning, remedy = next(
        ((m, r) for part, m, r in _EXPLANATIONS if part in message), ("it cannot be read", "")
    )
    if message.startswith("did not find expected alphabetic") and _is_wildcard(lines, line):
        meaning, remedy = _STAR
    if "\t" in before and not before.replace("\t", "").strip():
        meaning, remedy = _TAB
    start = _start_line(error)
    opened = f", opened in line {start}" if start and start != line else ""
    return Problem(file, line, "", "", f"broken YAML: {meaning}{opened} ({message})", "", remedy)


def _is_wildcard(lines: list[str], line: int) -> bool:
    """Whether a value in the line begins with ``*`` and no quotation mark."""
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return bool(re.search(r"(^|[-:\[,{]\s*)\*", text))


def _start_line(error: yaml.YAMLError) -> int:
    """The line where the construct that failed begins, or 0."""
    mark = getattr(error, "context_mark", None)
    return mark.line + 1 if mark else 0


def _parse_error(error: yaml.YAMLError, text: str) -> tuple[str, int, int]:
    """The parser's own message, its line counted from 1, its column counted from 0."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        message = str(error.problem or error.context or error)
        return (message, mark.line + 1, mark.column) if mark else (message, 0, 0)
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        column = len(before) - before.rfind("\n") - 1
        return str(error.reason), before.count("\n") + 1, column
    return str(error), 0, 0
