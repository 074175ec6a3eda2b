"""Envoy's StringMatchers: evaluated, and described. Regular expressions are RE2's, as in Envoy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def matches(matcher: Json, text: str) -> bool:
    """Evaluate a StringMatcher. Raises ValueError for a form that the mesh never emits."""
    if "safe_regex" in matcher:
        return fullmatch(matcher["safe_regex"]["regex"], text)
    fold = matcher.get("ignore_case", False)
    text = text.lower() if fold else text
    for form, test in _FORMS.items():
        if form in matcher:
            pattern = matcher[form].lower() if fold else matcher[form]
            return test(text, pattern)
    raise ValueError(f"a text matcher of an unknown form: {sorted(matcher)}")


_FORMS: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda text, pattern: text == pattern,
    "prefix": lambda text, pattern: text.startswith(pattern),
    "suffix": lambda text, pattern: text.endswith(pattern),
    "contains": lambda text, pattern: pattern in text,
}
_DESCRIPTIONS = {
    "exact": "",
    "prefix": "beginning with ",
    "suffix": "ending with ",
    "contains": "with ",
}


def describe(matcher: Json) -> str:
    """``"jason"``, ``beginning with "ja"``, ``like ja.*``."""
    if "safe_regex" in matcher:
        return f"like {matcher['safe_regex']['regex']}"
    for form, prefix in _DESCRIPTIONS.items():
        if form in matcher:
            return f'{prefix}"{matcher[form]}"'
    return str(matcher)


def fullmatch(expression: str, text: str) -> bool:
    """Whether an expression matches the whole text."""
    return _compile(expression).fullmatch(text.encode()) is not None


def replace_all(expression: str, substitution: str, text: str) -> str:
    """RE2's GlobalReplace."""
    result: bytes = _compile(expression).sub(substitution.encode(), text.encode())
    return result.decode("utf-8", "replace")


@functools.lru_cache(512)
def _compile(expression: str) -> Any:
    import re2  # noqa: PLC0415  # few requests meet an expression

    return re2.compile(expression.encode())
