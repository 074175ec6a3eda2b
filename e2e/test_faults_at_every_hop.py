"""Requests fail, are late, are reset and refused on every hop, and no payer gets a false answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from e2e.payments.outcomes import account, next_is_notified, outcomes
from e2e.payments.payment import payments
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments, documents
from e2e.support.processes import until
from meshproof.mesh import AccessRecord, Capability, Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.traffic.results import Results
from meshproof.verdicts.binomial import sample_size
from meshproof.verdicts.recovery import recovered
from meshproof.verdicts.split import Errors, split

pytestmark = pytest.mark.long


RULE = RULES / "faults_at_every_hop.yaml"
HOPS = ("istio-ingressgateway", "svca", "svcb")
"""The workload whose sidecar begins each hop: payer to svca, svca to svcb, svcb to msgd."""
ERRORS = Errors(shift=0.1)


def expected_outcomes() -> dict[str, int]:
    """The outcomes of a million requests under the rule's faults on three hops."""
    faults = [
        d["spec"]["http"][0]["fault"]["abort"]["percentage"]["value"] for d in documents(RULE)
    ]
    gateway, *further = (share / 100 for share in faults)
    arrives = 1 - gateway
    for share in further:
        arrives *= 1 - share
    notified, failed = round(1e6 * arrives), round(1e6 * gateway)
    return {"notified": notified, "told": 1_000_000 - notified - failed, "failed": failed}


def injected_faults(log: list[AccessRecord]) -> Counter[tuple[str, str]]:
    """Hop and Envoy's flag -> how many requests it injected a fault into (FI abort, DI delay)."""
    return Counter(
        (hop, flag)
        for record in log
        for hop in HOPS
        for flag in record.flags.split(",")
        if record.direction in ("outbound", "gateway") and record.sidecar.startswith(hop)
    )


def test_injected_faults_hurt_as_many_as_the_rule_says_and_nobody_is_lied_to(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    n = max(
        sample_size(w / 1e6, ERRORS.shift, ERRORS.alpha / 3) for w in expected_outcomes().values()
    )
    results = load(requests=n, users=16).wait()
    judge(account("account", mesh, results))
    judge(split("fates", outcomes(results), expected_outcomes(), errors=ERRORS))
    judge(
        split("nobody is hurt", outcomes(results), {"notified": 1, "told": 0, "failed": 0}),
        expect="fail",
        because=r"(notified|told|failed) answered \d+ of \d+; wanted exactly",
    )
    injected = injected_faults(run.access_log())
    assert {(hop, flag) for hop in HOPS for flag in ("FI", "DI")} <= set(injected)


def run_through(
    mesh: Mesh, load: StartLoad, faults: Sequence[tuple[Callable[[], object], Callable[[], object]]]
) -> tuple[Results, float]:
    """One load through faults, one after the other: each begins, ends, and payers are notified
    again. Returns what payers saw, and when the last was over."""
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    running = load(users=16).reach(100)
    for begin, end in faults:
        begin()
        running.reach(running.progress() + 60)
        end()
        until(lambda: next_is_notified(mesh), "a payment is notified again")
    over = time.time()
    return running.reach(running.progress() + 100).stop(), over


def judge_run(mesh: Mesh, judge: Judge, name: str, results: Results, over: float) -> None:
    judge(account(f"{name}: account", mesh, results))
    judge(
        recovered(
            f"{name}: over",
            over,
            [(p.time, p.notified) for p in payments(results.records)],
            enough=50,
        )
    )


@pytest.mark.parametrize("part", ["app", "sidecar"])
def test_a_kill_on_every_way_tells_no_lie(
    mesh: Mesh, load: StartLoad, judge: Judge, part: str
) -> None:
    if part == "sidecar" and Capability.KILL_SIDECAR not in mesh.capabilities:
        pytest.skip("to kill a sidecar alone needs the nodes of a kind cluster")
    workloads = ["svca", "svcb-v0.1", "svcb-v0.2"]
    if part == "app" and Capability.CUT in mesh.capabilities:
        workloads.append("msgd.test")
    faults = [(partial(mesh.fault, "kill", w, part=part), lambda: None) for w in workloads]
    judge_run(mesh, judge, f"{part}s killed", *run_through(mesh, load, faults))


def test_a_refusal_on_every_way_tells_no_lie(mesh: Mesh, load: StartLoad, judge: Judge) -> None:
    if Capability.CUT not in mesh.capabilities:
        pytest.skip("network faults need the nodes of a kind cluster")
    targets = ("svca", "svcb-v0.1", "svcb-v0.2", "msgd.test")
    faults = [(partial(mesh.fault, "refuse", w), partial(mesh.fault, "heal", w)) for w in targets]
    judge_run(mesh, judge, "refused", *run_through(mesh, load, faults))


def test_a_svcb_that_lies_is_found_out(mesh: Mesh, load: StartLoad, judge: Judge) -> None:
    mesh.apply([Source("a svcb that lies", deployments("svcb", {"LIE_PERCENT": "5"}))])
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    results = load(requests=400).wait()  # without one lie: less often than once in 10^8
    judge(
        account("of a lie", mesh, results),
        expect="fail",
        because=r"\d+ messages were reported notified and are not stored",
    )
