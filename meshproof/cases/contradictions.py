"""Cases that contradict each other: one request, one set of rules, two answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.cases.case import Case, CaseRequest, RuleSet
from meshproof.cases.model import Expect
from meshproof.errors import Problem

_NOT_ALONE = ("tolerance", "rule", "envoy", "not_reached", "headers")
"""Fields of which two may be true at once."""


def find_contradictions(cases: Iterable[Case]) -> Iterator[Problem]:
    """One problem for each case that an earlier one contradicts."""
    earlier: dict[tuple[RuleSet, CaseRequest, str], list[Case]] = {}
    for case in cases:
        if not isinstance(case.expect, Expect):
            continue
        token = repr(case.request.token)
        same = earlier.setdefault((case.rules, case.request, token), [])
        for other in same:
            assert isinstance(other.expect, Expect)
            if difference := _difference(case.expect, other.expect):
                yield case.place.problem(
                    ("expect",),
                    f"contradicts the case at {other.place.file}:{other.place.line} "
                    f'("{other.name}"): {difference}, for {case.request}',
                    "one of the two",
                    "",
                )
                break
        same.append(case)


def _difference(one: Expect, other: Expect) -> str:
    for name in Expect.model_fields:
        first, second = getattr(one, name), getattr(other, name)
        in_both = name in one.model_fields_set and name in other.model_fields_set
        if in_both and name not in _NOT_ALONE and first != second:
            return f"{name} is {first} here and {second} there"
    for name in one.headers.keys() & other.headers.keys():
        if one.headers[name] != other.headers[name]:
            return f"header {name} is {one.headers[name]} here and {other.headers[name]} there"
    if (first := _is_answered(one)) is not None and (second := _is_answered(other)) is not None:
        return "" if first == second else "one is answered by an app, the other by the mesh itself"
    return ""


def _is_answered(expect: Expect) -> bool | None:
    """Whether somebody behind the mesh answers; None where that is left open."""
    if expect.allowed is not None:
        return expect.allowed
    if expect.workload or expect.outside or expect.path or expect.host or expect.headers:
        return None if expect.split else True
    return False if expect.status or expect.refused_by or expect.redirect else None
