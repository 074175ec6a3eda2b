"""What Istio's webhook accepts with a warning, of each document by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from meshproof.errors import Problem
from meshproof.model.resource import Resource
from meshproof.model.validation.rules import violations_of

if TYPE_CHECKING:
    from meshproof.lint.context import LintContext

ID = "istio-warning"


def find_istio_warnings(context: LintContext) -> Iterator[Problem]:
    return warnings_of(context.resources)


def warnings_of(resources: Iterable[Resource]) -> Iterator[Problem]:
    """Also for resources that no mesh holds yet. Generated ones have no document to judge."""
    for resource in resources:
        for violation in violations_of(resource.body):
            if violation.warning:
                message = violation.found
                yield resource.problem(violation.path, message, violation.wanted, violation.remedy)
