"""What Istio's webhook accepts with a warning, of each document by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshproof.errors import Problem
from meshproof.model.resource import Resource
from meshproof.model.validation.node import Violation
from meshproof.model.validation.rules import find_violations

if TYPE_CHECKING:
    from meshproof.lint.context import LintContext

ID = "istio-warning"


def find_istio_warnings(context: LintContext) -> Iterator[Problem]:
    return warnings_of(context.resources)


def warnings_of(resources: Iterable[Resource]) -> Iterator[Problem]:
    """Also for resources that no mesh holds yet. Generated ones have no document to judge."""
    for resource in resources:
        for violation in _violations(resource.body):
            if violation.warning:
                message = violation.found
                yield resource.problem(violation.path, message, violation.wanted, violation.remedy)


def _violations(body: Mapping[str, Any]) -> list[Violation]:
    """Of one document, which never changes: judged once."""
    judged = _latest.get(id(body))
    if judged is None or judged[0] is not body:
        if len(_latest) >= _LIMIT:
            _latest.clear()
        judged = _latest[id(body)] = (body, list(find_violations(body)))
    return judged[1]


_LIMIT = 8192
_latest: dict[int, tuple[Mapping[str, Any], list[Violation]]] = {}
"""By identity; the document is kept too, so that its id stays its own."""
