"""The value of an unquoted YAML text: YAML 1.1 as kubectl reads it (go-yaml v2, then JSON).

``y``, ``n``, ``yes``, ``no``, ``on`` and ``off`` are booleans, ``017`` and ``0o17`` are octal,
``1_000`` is a number, a timestamp stays a text, and a number without a fraction (``8.0``) is a
whole number, because kubectl sends JSON.
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_SPELLINGS = {
    True: ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"),
    False: ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"),
    None: ("", "~", "null", "Null", "NULL"),
    math.inf: (".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"),
    -math.inf: ("-.inf", "-.Inf", "-.INF"),
    math.nan: (".nan", ".NaN", ".NAN"),
}
_VALUES: dict[str, Scalar] = {text: value for value, texts in _SPELLINGS.items() for text in texts}
_NUMERIC_START = frozenset("0123456789+-.")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INT = re.compile(
    r"(?P<sign>[-+]?)"
    r"(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)"
    r"|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_BASES = (("dec", 10), ("oct", 8), ("hex", 16), ("bin", 2))
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_EXACT_FLOAT = 2.0**53


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar."""
    if text in _VALUES:
        return _VALUES[text]
    if text[0] not in _NUMERIC_START:
        return text
    number = number_of(text.replace("_", ""))
    return text if number is None else number


def number_of(text: str) -> int | float | None:
    """The number that ``text`` spells, or None where it spells none.

    An integer beyond 64 bits is a float, as in Go; ``08`` is not octal and so a float, 8.
    """
    match = _INT.fullmatch(text)
    if match:
        for group, base in _BASES:
            digits = match[group]
            if digits and len(digits) <= 64:
                value = int(match["sign"] + digits, base)
                if _INT_MIN <= value <= _INT_MAX:
                    return value
    if not _FLOAT.fullmatch(text):
        return None
    real = float(text)
    return int(real) if abs(real) < _EXACT_FLOAT and real.is_integer() else real


def kind_of(value: object) -> str:
    """A value's YAML type for messages: ``string``, ``number``, ``boolean``, ``list``, ..."""
    if value is None:
        return "null"
    types = ((bool, "boolean"), (int, "number"), (float, "number"), (str, "string"), (list, "list"))
    for type_, name in types:
        if isinstance(value, type_):
            return name
    return "mapping"
