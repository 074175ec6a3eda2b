"""Envoy's matchers of texts, and each in few words. Expressions are RE2's, as Envoy's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def fits(matcher: Json, text: str) -> bool:
    """A StringMatcher. Raises ValueError for a form that Envoy has and the mesh never emits."""
    if "safe_regex" in matcher:
        return whole(matcher["safe_regex"]["regex"], text)
    fold = matcher.get("ignore_case", False)
    text = text.lower() if fold else text
    for form, test in _FORMS.items():
        if form in matcher:
            wanted = matcher[form].lower() if fold else matcher[form]
            return test(text, wanted)
    raise ValueError(f"a text matcher of an unknown form: {sorted(matcher)}")


_FORMS: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda text, wanted: text == wanted,
    "prefix": lambda text, wanted: text.startswith(wanted),
    "suffix": lambda text, wanted: text.endswith(wanted),
    "contains": lambda text, wanted: wanted in text,
}
_WORDS = {"exact": "", "prefix": "beginning with ", "suffix": "ending with ", "contains": "with "}


def words(matcher: Json) -> str:
    """``"jason"``, ``beginning with "ja"``, ``like ja.*``."""
    if "safe_regex" in matcher:
        return f"like {matcher['safe_regex']['regex']}"
    for form, word in _WORDS.items():
        if form in matcher:
            return f'{word}"{matcher[form]}"'
    return str(matcher)


def whole(expression: str, text: str) -> bool:
    """Whether an expression fits the whole text."""
    return _compiled(expression).fullmatch(text.encode()) is not None


def replaced(expression: str, substitution: str, text: str) -> str:
    """RE2's GlobalReplace."""
    found: bytes = _compiled(expression).sub(substitution.encode(), text.encode())
    return found.decode("utf-8", "replace")


@functools.lru_cache(512)
def _compiled(expression: str) -> Any:
    import re2  # noqa: PLC0415  # loaded when the first expression is

    return re2.compile(expression.encode())
