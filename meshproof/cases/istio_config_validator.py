"""Cases of istio-config-validator, read as they are (its docs/test-cases.md, Apache 2.0).

Each combination of authority, method and URI is a request, and ``route``, ``redirect``,
``rewrite``, ``fault``, ``headers`` and ``delegate`` are compared with the fields of the route that
takes it: all equal with ``wantMatch: true``, each different without (internal/pkg/unit/unit.go).
Which route takes it is Envoy's decision here, not a second matcher's. ``gateways`` of a rule are
not looked at, as there.
"""

from __future__ import annotations

import itertools
import urllib.parse
from collections.abc import Iterator
from typing import Any

from pydantic import Field, ValidationError

from meshproof.cases.case import Case, CaseRequest, Place, RouteExpectation, RuleSet
from meshproof.errors import Problem
from meshproof.model.base_model import Model
from meshproof.model.normalize import normalize
from meshproof.model.validation_errors import explain_validation_error
from meshproof.sources.documents import Document

FIELDS = ("route", "redirect", "rewrite", "fault", "headers", "delegate")
ANY_CLIENT = "*"
"""The sender of such a case: a client in the namespace of the rule that names its authority."""


class ValidatorRequest(Model):
    """A request in every combination."""

    authority: list[str] = Field(min_length=1)
    method: list[str] = Field(min_length=1)
    uri: list[str] = Field(min_length=1)
    headers: dict[str, str] = Field(default_factory=dict)


class ValidatorCase(Model):
    """One entry of ``testCases``."""

    description: str = ""
    want_match: bool = False
    request: ValidatorRequest
    route: list[dict[str, Any]] | None = None
    redirect: dict[str, Any] | None = None
    rewrite: dict[str, Any] | None = None
    fault: dict[str, Any] | None = None
    headers: dict[str, Any] | None = None
    delegate: dict[str, Any] | None = None


def read_cases(document: Document, problems: list[Problem]) -> Iterator[Case]:
    """The cases of one document."""
    entries = document.value["testCases"]
    for index, value in enumerate(entries if isinstance(entries, list) else ()):
        place = Place(document, ("testCases", index))
        prepared = normalize(ValidatorCase, value, base=place.path)
        try:
            model = ValidatorCase.model_validate(prepared.value)
        except ValidationError as error:
            problems += explain_validation_error(
                error, document, ValidatorCase, prepared, place.path
            )
            continue
        fields = {n: v for n in FIELDS if (v := getattr(model, n)) is not None}
        if not fields:
            problems.append(place.problem((), "expects nothing", f"one of {', '.join(FIELDS)}", ""))
            continue
        yield from _build_cases(model, RouteExpectation(fields, model.want_match), place)


def _build_cases(model: ValidatorCase, expect: RouteExpectation, place: Place) -> Iterator[Case]:
    request = model.request
    headers = tuple(request.headers.items())
    for uri, authority, method in itertools.product(request.uri, request.authority, request.method):
        path = urllib.parse.urlsplit(uri).path
        url = f"http://{authority}{path if path.startswith('/') else '/' + path}"
        yield Case(
            model.description or f"case {place.path[-1]}",
            CaseRequest(ANY_CLIENT, url, method, headers),
            expect,
            RuleSet(),
            place,
        )
