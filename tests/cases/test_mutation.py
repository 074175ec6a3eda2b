"""Mutation coverage: a rule altered in one field is noticed, or reported with file and line."""

from __future__ import annotations

from meshproof.cases.mutants import mutants
from meshproof.cases.mutation import run_mutation
from meshproof.cases.results import MutationResult
from meshproof.cases.run import run_static
from meshproof.model.reader import read_text
from tests.cases.mesh_files import POLICY, SPLIT, TO_V1, TO_V2, case, planner, read, rule

HEADER = "{match: [{headers: {x-user: {exact: tester}}}], " + TO_V2[1:]


def mutate(text: str, rules: str) -> MutationResult:
    cases, problems = read(text)
    assert problems == []
    plan = planner(rules)
    return run_mutation(run_static(cases, plan).results, plan)


def untested(result: MutationResult) -> dict[str, str]:
    return {f"{s.file}:{s.line} {s.field}": s.change for s in result.survivors}


def changes(rules: str) -> set[tuple[str, str]]:
    return {
        (m.field, m.change)
        for r in read_text(rules, "rules.yaml")
        for m in mutants(r, ["v1", "v2"])
    }


def test_weights_subsets_matches_timeouts_and_policies_are_altered() -> None:
    assert ("spec.http[0].route", "10 points of weight moved from [0] to [1]") in changes(
        rule(SPLIT)
    )
    assert ("spec.http[0].route[0].destination.subset", "v1 is v2") in changes(rule(TO_V1))
    assert ("spec.http[0].match", "left out") in changes(rule(HEADER, TO_V1))
    exact = "spec.http[0].match[0].headers.x-user.exact"
    assert (exact, "tester is tester-other") in changes(rule(HEADER, TO_V1))
    assert ("spec.http[0].timeout", "2s is 4s") in changes(rule("{timeout: 2s, " + TO_V1[1:]))
    assert ("spec.rules[0].to[0].operation.methods[0]", "GET is PUT") in changes(POLICY)
    assert ("spec.rules[0].from", "left out") in changes(POLICY)


def test_one_field_differs_in_each_mutant() -> None:
    (policy,) = read_text(POLICY, "rules.yaml")
    for mutant in mutants(policy):
        assert mutant.manifest != policy.manifest
        assert policy.manifest["spec"]["rules"][0]["to"][0]["operation"]["methods"] == ["GET"]


def test_a_case_that_sees_the_share_notices_moved_weight() -> None:
    text = case("{workload: echo, split: {v1: 90, v2: 10}}")
    assert not any("weight" in c for c in untested(mutate(text, rule(SPLIT))).values())


def test_a_case_that_does_not_leaves_it_untested_at_its_line() -> None:
    result = mutate(case("{workload: echo}"), rule(SPLIT))
    assert untested(result)["rules.yaml:16 spec.http[0].route"].startswith("10 points of weight")
    assert result.share is not None
    assert 0 < result.share < 1
    assert result.total == result.noticed + len(result.survivors)


def test_a_policy_that_one_case_visits_is_not_tested_by_it() -> None:
    allowed = "{name: a, request: {from: client, url: 'http://echo/ok'}, expect: {allowed: true}}"
    denied = (
        "{name: b, request: {from: other, url: 'http://echo/ok'}, expect: {status: 403}},"
        "{name: c, request: {from: client, url: 'http://echo/ok', method: PUT}, expect: "
        "{status: 403}},"
        "{name: d, request: {from: client, url: 'http://echo/no'}, expect: {status: 403}}"
    )
    one = untested(mutate(f"cases: [{allowed}]", POLICY))
    assert "rules.yaml:8 spec.rules[0].from" in one
    all_four = untested(mutate(f"cases: [{allowed}, {denied}]", POLICY))
    assert {field.split()[1] for field in all_four} == {
        "spec.selector",
        "spec.selector.matchLabels",
    }


def test_mutants_that_change_nothing_do_not_count() -> None:
    unused = rule(TO_V1).replace("{name: v2, labels: {version: v2}}", "{name: v2, labels: {a: b}}")
    result = mutate(case("{workload: echo, version: v1, timeout: none, retries: 2}"), unused)
    assert result.equivalent + result.refused > 0
    assert all("v2" not in s.field for s in result.survivors)


def test_cases_that_fail_notice_nothing() -> None:
    assert mutate(case("{workload: other}"), rule(TO_V1)).share is None
