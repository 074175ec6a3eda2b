"""``explain`` predicts what a real Istio answered in the recorded cases, without a mesh."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from conformance.cases import Case, load
from conformance.replay import FOLDER
from meshproof.admission.admission import Admission
from meshproof.admission.store import Store
from meshproof.embedded import explain_adapter
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.explain import Explanation, Fleet
from meshproof.explain.question import Question, explain_question
from meshproof.explain.result import Step
from meshproof.model.reader import read_resources, read_text
from meshproof.project import load_project
from tests.explain.recorded_requests import answers, differences, headers, url

CASES = load([FOLDER / "recorded" / "cases"])
STATEFUL = {
    ("dr-outlier", "after"): "",  # what was ejected before is not in any configuration
    ("retries-5xx", "five"): "up to 3 retries on 5xx",
    ("retries-default", "two"): "up to 2 retries on connect-failure",
    ("retries-off", "two"): "",  # the app fails twice, by what it remembers
    ("route-timeout", "slow"): "504 after",
}
"""Requests whose answer depends on more than the request, with the note that must say so."""
Alter = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def start() -> tuple[Admission, Store]:
    project = load_project(FOLDER / "meshproof.yaml")
    admission = embedded_admission(project)
    return admission, admission.apply(
        Store(), read_resources(project.manifests), strict=False
    ).store


def explain_case(
    start: tuple[Admission, Store], case: Case, alter: Alter | None = None
) -> Iterator[tuple[str, Explanation, list[str]]]:
    """Each request's id, what is said of it, and what of the record was not foreseen."""
    admission, store = start
    if case.rules.strip():
        store = admission.apply(store, read_text(case.rules, case.file), strict=False).store
    fleet = explain_adapter.planned_fleet(store, load_project(FOLDER / "meshproof.yaml"))
    fleet = alter_routes(fleet, alter) if alter else fleet
    for request in case.requests:
        question = Question(
            request.sender, url(request), request.sent.get("method", "GET"), headers(request)
        )
        explanation = explain_question(fleet, store.lowered, question)
        yield request.id, explanation, differences(explanation, request)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_istio_answered_was_foreseen(start: tuple[Admission, Store], case: Case) -> None:
    for name, explanation, wrong in explain_case(start, case):
        assert sum(a.chance for a in answers(explanation)) == pytest.approx(1)
        if (case.name, name) not in STATEFUL:
            assert not wrong, name
            continue
        assert wrong, f"{name} was foreseen after all"
        assert STATEFUL[case.name, name] in " ".join(notes(explanation.steps))


def notes(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        yield from step.notes
        yield from notes(step.branches)


def alter_routes(fleet: Fleet, alter: Alter) -> Fleet:
    """The same Envoys with other routes."""

    def routes(tables: Mapping[str, Any]) -> dict[str, Any]:
        for table in tables.values():
            for host in table["virtual_hosts"]:
                alter(host)
        return dict(tables)

    proxies = (replace(p, routes=routes(p.routes)) for p in fleet.proxies)
    return replace(fleet, proxies=tuple(proxies))


def without_headers(host: dict[str, Any]) -> None:
    for route in host.get("routes", ()):
        route["match"].pop("headers", None)


def reverse_routes(host: dict[str, Any]) -> None:
    host.get("routes", []).reverse()


def without_rewrites(host: dict[str, Any]) -> None:
    for route in host.get("routes", ()):
        for name in ("prefix_rewrite", "regex_rewrite", "host_rewrite_literal"):
            route.get("route", {}).pop(name, None)


@pytest.mark.parametrize(
    ("alter", "seen_in"),
    [
        (without_headers, {"vs-header-exact", "vs-method", "vs-without-header"}),
        (reverse_routes, {"vs-first-wins", "vs-uri-prefix"}),
        (without_rewrites, {"route-rewrite", "rewrite-regex"}),
    ],
)
def test_other_routes_disagree(
    start: tuple[Admission, Store], alter: Alter, seen_in: set[str]
) -> None:
    """The negative control."""
    seen = {
        case.name
        for case in CASES
        if case.name in seen_in
        for _, _, wrong in explain_case(start, case, alter)
        if wrong
    }
    assert seen == seen_in
