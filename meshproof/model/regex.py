"""Regular expressions of RE2, Envoy's regex engine."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

_RE2 = "what RE2 knows, which has no look-around and no back-references"


def regex_problem(text: str) -> str:
    """Why RE2 refuses an expression; empty if it does not."""
    import re2  # noqa: PLC0415  # loaded when the first expression is

    options = re2.Options()
    options.log_errors = False  # else C++ writes to standard error
    try:
        re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0]
        message = reason.decode() if isinstance(reason, bytes) else str(reason)
        return f'"{text}" is not an RE2 regular expression: {message}; wanted {_RE2}'
    return ""


def check_regex(value: Any) -> Any:
    """RE2 itself judges, so that no Envoy ever sees a bad expression."""
    if isinstance(value, str) and (problem := regex_problem(value)):
        raise ValueError(problem)
    return value


Regex = Annotated[str, BeforeValidator(check_regex)]
