"""What a running mesh shows: observations from access logs, judged with stated error rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from meshproof.cases.case import CaseRequest, RuleSet
from meshproof.cases.evidence import Evidence, Observation, observe
from meshproof.cases.facts import Facts, Responder
from meshproof.cases.live_judge import judge_live, live_fields, requests_needed
from meshproof.cases.mismatch import Mismatch
from meshproof.cases.model import Expect
from meshproof.cases.prediction import find_unforeseen
from meshproof.cases.results import CaseResult, LiveResult, Outcome
from meshproof.mesh import AccessRecord, Answer, ReplicaStatus
from meshproof.traffic.calls import Call
from tests.cases.mesh_files import SPLIT, TO_V1, case, planner, read, rule

V1, V2 = Responder("shop", "echo-v1", "v1"), Responder("shop", "echo-v2", "v2")
REPLICAS = [
    ReplicaStatus(f"{name}-1", name, "shop", {"app": app, "version": version}, True, 0, address)
    for name, app, version, address in (
        ("client", "client", "v1", "10.0.0.1"),
        ("echo-v1", "echo", "v1", "10.0.0.2"),
    )
]


def record(
    direction: str, sidecar: str, upstream: str, *, code: int = 200, number: int = 1
) -> AccessRecord:
    return AccessRecord(
        sidecar=sidecar, direction=direction, time="", method="GET", path="/new", authority="echo",
        code=code, flags="-", details="", duration_ms=1,
        upstream_cluster="outbound|80||echo.shop.svc.cluster.local", upstream_host=upstream,
        route="", request_id=f"id-{number}", trace_id="", run_id="run",
    )  # fmt: skip


def evidence(*log: AccessRecord, location: str = "") -> list[Observation]:
    headers = (("Location", location),) if location else ()
    answers = (Answer(200, headers, b"", 0.1),)
    return observe(Evidence(Call("client", "http://echo/"), answers, log, REPLICAS))


def judge(expect: Mapping[str, object], *observations: Observation, n: int = 0) -> list[str]:
    model = Expect.model_validate(expect)
    result = judge_live(model, observations, n or len(observations), facts(TO_V1))
    return [m.field for m in result.mismatches]


def facts(*routes: str, url: str = "http://echo/") -> Facts:
    """What files with these routes say of a request from client."""
    mesh = planner(rule(*routes)).plan(RuleSet())
    return Facts(mesh.explain(CaseRequest("client", url)), mesh, "client")


def unforeseen(prediction: Facts, *observations: Observation) -> list[str]:
    return [f"{m.wanted} / {m.found}" for m in find_unforeseen(observations, prediction)]


def test_what_the_files_give_no_chance_is_a_disagreement_whatever_a_case_expects() -> None:
    (both,) = answered(V2, 1)
    result = judge_live(Expect.model_validate({"timeout": "none"}), [both] * 50, 50, facts(TO_V1))
    assert result.mismatches == ()
    cases, _ = read(case("{timeout: none}"))
    assert CaseResult(cases[0], live=result).outcome is Outcome.DISAGREED
    wanted = "shop/echo-v1 v1 as echo/; the running mesh did 50 x shop/echo-v2 v2 as echo/ of 50"
    assert CaseResult(cases[0], live=result).lines == [f"files foresee {wanted}"]


def test_a_wrong_answer_on_both_sides_may_still_be_two_answers() -> None:
    """Both fail the case, which alone would look as if they agreed."""
    wrong = (Mismatch("workload", "other", "shop/echo-v1 v1"),)
    live = LiveResult(50, wrong, ("workload",), "", (Mismatch("files", "echo-v1", "echo-v2"),))
    cases, _ = read(case("{workload: other}"))
    assert CaseResult(cases[0], wrong, live=live).outcome is Outcome.DISAGREED


def test_what_the_files_foresee_agrees() -> None:
    to_v1 = "route: [{destination: {host: echo, subset: v1}}]"
    rewritten = "{match: [{uri: {prefix: /a}}], rewrite: {uri: /new}, " + to_v1 + "}"
    prediction = facts(rewritten, url="http://echo/a?b=1")
    assert unforeseen(prediction, Observation(V1, 200, "", "echo", "/new?b=1")) == []
    assert unforeseen(prediction, Observation(V1, 200, "", "echo", "/a?b=1")) != []
    assert unforeseen(prediction, Observation(V1, 200, "", "other", "/new?b=1")) != []
    redirect = facts("{redirect: {uri: /b, redirectCode: 302}}")
    assert unforeseen(redirect, Observation(None, 302, "http://echo/b")) == []
    assert unforeseen(redirect, Observation(None, 302, "http://echo/c")) != []
    assert unforeseen(redirect, Observation(None, 301, "http://echo/b")) != []
    assert unforeseen(facts(SPLIT), Observation(None, 503)) == [
        "shop/echo-v1 v1 as echo/ or shop/echo-v2 v2 as echo/ / 1 x 503 from the mesh of 1"
    ]


def answered(responder: Responder, times: int) -> list[Observation]:
    return [Observation(responder, 200, "", "echo", "/")] * times


def test_an_app_that_got_the_request_is_the_responder() -> None:
    (one,) = evidence(
        record("outbound", "client-1", "10.0.0.2:8080"),
        record("inbound", "echo-v1-1", "127.0.0.1:8080"),
    )
    assert one == Observation(V1, 200, "", "echo", "/new")


def test_the_path_is_the_one_that_arrives_not_the_one_before_a_rewrite() -> None:
    (one,) = evidence(
        record("outbound", "client-1", "10.0.0.2:8080"),
        replace(record("inbound", "echo-v1-1", "127.0.0.1:8080"), path="/old", final_path="/new"),
    )
    assert one.path == "/new"


def test_a_request_that_the_servers_sidecar_refuses_has_no_responder() -> None:
    (one,) = evidence(
        record("outbound", "client-1", "10.0.0.2:8080", code=403),
        record("inbound", "echo-v1-1", "-", code=403),
    )
    assert one == Observation(None, 403)


def test_the_callers_own_sidecar_answers() -> None:
    (one,) = evidence(record("outbound", "client-1", "-", code=301), location="http://else/")
    assert one == Observation(None, 301, "http://else/")


def test_a_connection_that_the_sidecar_closed_is_evidence_of_its_own() -> None:
    answers = (Answer(0, (), b"", 0.1, refused_by="no rule opens it"), Answer(0, (), b"lost", 0.1))
    call = Call("client", "http://10.100.35.27:9997/")
    assert observe(Evidence(call, answers, (), REPLICAS)) == [Observation(None, 0)]


def test_a_host_outside_and_somebody_elses_call() -> None:
    log = (
        record("outbound", "client-1", "192.0.2.1:80"),
        record("outbound", "other-1", "10.0.0.2:80"),
    )
    (one,) = evidence(*log)
    assert one.responder == Responder("", "echo.shop.svc.cluster.local")


def test_a_call_whose_host_the_caller_rewrites_is_found_by_the_new_one() -> None:
    new = replace(record("outbound", "client-1", "-", code=503), authority="new.test")
    call = Call("client", "http://echo/")
    assert observe(Evidence(call, (), (new,), REPLICAS)) == []
    evidence = Evidence(call, (), (new,), REPLICAS, frozenset({"new.test"}))
    assert observe(evidence) == [Observation(None, 503)]
    to_v1 = "route: [{destination: {host: echo}}]"
    assert facts("{rewrite: {authority: new.test}, " + to_v1 + "}").rewritten_hosts == {"new.test"}


def test_requests_without_evidence_are_no_pass() -> None:
    assert judge({"workload": "echo"}, *answered(V1, 3), n=4) == ["evidence"]
    assert judge({"workload": "echo"}, n=50) == ["evidence"]


@pytest.mark.parametrize(
    ("expect", "good", "bad"),
    [
        ({"workload": "echo", "version": "v1"}, Observation(V1, 200), Observation(V2, 200)),
        ({"workload": "echo"}, Observation(V2, 200), Observation(None, 503)),
        ({"status": 403}, Observation(None, 403), Observation(V1, 403)),
        ({"redirect": "http://a/"}, Observation(None, 301, "http://a/"), Observation(None, 301)),
        ({"allowed": True}, Observation(V1, 500), Observation(None, 403)),
        ({"allowed": False}, Observation(None, 403), Observation(V1, 200)),
        ({"host": "b"}, Observation(V1, 200, host="b"), Observation(V1, 200, host="c")),
        ({"path": "/b"}, Observation(V1, 200, path="/b?x"), Observation(V1, 200, path="/c")),
        ({"notReached": "echo-v2"}, Observation(V1, 200), Observation(V2, 200)),
    ],
)
def test_one_deviation_fails(
    expect: dict[str, object], good: Observation, bad: Observation
) -> None:
    assert judge(expect, *[good] * 49) == []
    assert len(judge(expect, *[good] * 49, bad)) == 1


def test_a_split_is_an_exact_test() -> None:
    split = {"workload": "echo", "split": {"v1": 90, "v2": 10}}
    n = requests_needed(Expect.model_validate(split))
    tenth = n // 10
    assert judge(split, *answered(V1, n - tenth), *answered(V2, tenth)) == []
    off = round(n * 0.15)
    assert judge(split, *answered(V1, n - off), *answered(V2, off)) == ["split"]
    assert judge(
        split, *answered(V1, n - tenth), *answered(V2, tenth - 1), Observation(None, 503)
    ) == ["split"]


def test_tolerance_is_beside_chance() -> None:
    split = {"workload": "echo", "split": {"v1": 90, "v2": 10}, "tolerance": 10}
    n = requests_needed(Expect.model_validate(split))
    assert judge(split, *answered(V1, n - n // 5), *answered(V2, n // 5)) == []
    assert judge(split, *answered(V1, n - n // 3), *answered(V2, n // 3)) == ["split"]


def test_the_error_rates_are_stated() -> None:
    prediction = facts(TO_V1)
    plain = judge_live(
        Expect.model_validate({"workload": "echo"}), answered(V1, 50), 50, prediction
    )
    assert "n=50: one deviation fails it; a deviation of 13 %" in plain.error_rates
    expect = Expect.model_validate({"split": {"echo-v1": 90, "echo-v2": 10}, "tolerance": 2})
    assert (
        "7 points off is seen with probability 0.99"
        in judge_live(expect, [], 9, prediction).error_rates
    )


def test_what_evidence_cannot_show_is_not_judged_live() -> None:
    assert live_fields(Expect.model_validate({"timeout": "1s", "mirror": "none"})) == []


WRONG = Mismatch("workload", "a", "b")


@pytest.mark.parametrize(
    ("static", "live", "outcome"),
    [
        ((), (), Outcome.PASSED),
        ((WRONG,), (WRONG,), Outcome.FAILED),
        ((WRONG,), (), Outcome.DISAGREED),
        ((), (WRONG,), Outcome.DISAGREED),
        ((Mismatch("timeout", "a", "b"),), (), Outcome.FAILED),
    ],
)
def test_a_disagreement_is_a_failure_of_its_own(
    static: tuple[Mismatch, ...], live: tuple[Mismatch, ...], outcome: Outcome
) -> None:
    cases, _ = read(case("{workload: echo, timeout: none}"))
    result = CaseResult(cases[0], static, live=LiveResult(50, live, ("workload",)))
    assert result.outcome is outcome
    assert ("disagree" in str(result.lines)) == (outcome is Outcome.DISAGREED)
