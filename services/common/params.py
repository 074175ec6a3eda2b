"""Parameters of a request: query, form and JSON body alike, checked before use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Request

from services.common.errors import BadInputError
from services.common.limits import MAX_ID, MAX_TEXT

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*\Z")
_MOST = Decimal(1_000_000_000)


def read(request: Request) -> dict[str, Any]:
    """All parameters by name; the body's win. BadInputError if a JSON body is none."""
    params: dict[str, Any] = request.args.to_dict()
    params.update(request.form.to_dict())
    if request.is_json and request.content_length != 0:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise BadInputError("the body is not a JSON object")
        params.update(body)
    return params


def text(params: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text of 1 to 256 characters; without a default it must be given."""
    value = params.get(name, default)
    if value is None:
        raise BadInputError(f"{name} is missing; wanted a text")
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT:
        raise BadInputError(
            f"{name} is {_render(value)}; wanted a text of 1 to {MAX_TEXT} characters"
        )
    return value


def identifier(params: Mapping[str, Any], name: str, default: str) -> str:
    """Letters, digits and ``._:-``, at most 128."""
    value = params.get(name, default)
    if not isinstance(value, str) or len(value) > MAX_ID or not _ID.match(value):
        raise BadInputError(
            f"{name} is {_render(value)}; wanted letters, digits and ._:-, at most {MAX_ID}"
        )
    return value


def amount(params: Mapping[str, Any], name: str, default: str) -> Decimal:
    """Money: above 0, at most a milliard, no more than two decimals."""
    value = params.get(name, default)
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidOperation
        number = Decimal(str(value))
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -2 or not 0 < number <= _MOST:
            raise InvalidOperation
    except InvalidOperation:
        raise BadInputError(f"{name} is {_render(value)}; wanted a number such as 12.50") from None
    return number


def _render(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}... ({len(text)} characters)"
