"""A whole release on a simulated mesh: weights, evidence, journal, and every way to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.errors import MeshproofError, UsageError
from meshproof.mesh import AccessRecord
from meshproof.release import controller, start
from meshproof.release.controller import ReleaseController, ReleaseOutcome
from meshproof.release.journal import Impact, Journal, JournalEntry
from meshproof.release.state import Phase, Plan, ReleaseState
from tests.release.rules import destination_rule, to, virtual_service

RULES = [destination_rule("v0.1", "v0.2"), virtual_service(to("one", 100), to("two", 0))]
PLAN = Plan("svcb", "payments", "", "v0.2", (10, 50, 100))
CLUSTER = "outbound|80|{}|svcb.payments.svc.cluster.local"


def record(subset: str, code: int, ms: int) -> AccessRecord:
    return AccessRecord(
        "svca-1", "outbound", "", "GET", "/", "svcb", code, "-", "", ms,
        CLUSTER.format(subset), "", "", "", "", "",
    )  # fmt: skip


class SimulatedMesh:
    """A mesh in which every reading finds 100 more calls, split by the weights in force."""

    def __init__(self, failing: float = 0.0, slower: int = 0, *, traffic: bool = True) -> None:
        self.failing, self.slower, self.traffic = failing, slower, traffic
        self.weights: list[int] = []
        self.log: list[AccessRecord] = []
        self.on_tail: Callable[[], object] = lambda: None

    def apply(self, text: str) -> float:
        (rule,) = (d for d in yaml.safe_load_all(text) if d["kind"] == "VirtualService")
        by_subset = {
            e["destination"]["subset"]: e["weight"] for e in rule["spec"]["http"][0]["route"]
        }
        self.weights.append(by_subset["two"])
        return 0.001

    def tail(self, host: str, cursor: str) -> tuple[list[AccessRecord], str]:
        assert host == "svcb.payments.svc.cluster.local"
        self.on_tail()
        if cursor == "now" or not self.traffic:
            return [], str(len(self.log))
        weight = self.weights[-1] if self.weights else 0
        failed = round(self.failing * weight)
        self.log += [record("two", 500, 3)] * failed
        self.log += [record("two", 200, 20 + self.slower)] * (weight - failed)
        self.log += [record("one", 200, 20)] * (100 - weight)
        return self.log[int(cursor) :], str(len(self.log))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controller, "POLL", 0.0)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, "payments", "svcb")


def release(
    mesh: SimulatedMesh, journal: Journal, rules: list[dict[str, Any]] = RULES
) -> ReleaseOutcome:
    began = start.start(rules, journal, PLAN)
    lines: list[str] = []
    outcome = ReleaseController(mesh, began.rule, journal, lines.append).run(
        began.entry, step_limit=60
    )
    assert lines[-1] == outcome.sentence()
    return outcome


def test_a_good_version_is_released(journal: Journal) -> None:
    mesh = SimulatedMesh()
    outcome = release(mesh, journal)
    assert outcome.released
    assert mesh.weights == [10, 50, 100]
    assert outcome.impact.failed == outcome.impact.slowed == 0
    assert journal.read() is None


def test_a_failing_one_is_rolled_back_and_its_failures_are_counted(journal: Journal) -> None:
    mesh = SimulatedMesh(failing=0.2)
    outcome = release(mesh, journal)
    assert mesh.weights == [10, 0]
    assert outcome.state.phase is Phase.ROLLED_BACK
    assert "fails more often: 20 % of its calls against 0 %" in outcome.why
    theirs = [r for r in mesh.log if "|two|" in r.upstream_cluster]
    assert outcome.impact == Impact(len(theirs), sum(r.code == 500 for r in theirs), 0)
    assert f"{outcome.impact.failed} failed" in outcome.sentence()


def test_a_slow_one_is_rolled_back_and_who_waited_is_counted(journal: Journal) -> None:
    outcome = release(SimulatedMesh(slower=51), journal)
    assert outcome.state.phase is Phase.ROLLED_BACK
    assert outcome.impact.slowed == outcome.impact.calls > 0


def test_without_traffic_it_is_rolled_back_when_its_time_is_over(journal: Journal) -> None:
    mesh = SimulatedMesh(traffic=False)
    began = start.start(RULES, journal, PLAN)
    outcome = ReleaseController(mesh, began.rule, journal, lambda _: None).run(
        began.entry, step_limit=0
    )
    assert mesh.weights == [10, 0]
    assert outcome.why == "nothing to look at for 0 s, after 0 calls"
    assert outcome.state.phase is Phase.ROLLED_BACK


def test_an_interrupt_rolls_back_first(journal: Journal) -> None:
    mesh, seen = SimulatedMesh(), iter(range(6))

    def interrupt() -> None:
        if next(seen, None) == 3:
            raise KeyboardInterrupt

    mesh.on_tail = interrupt
    with pytest.raises(KeyboardInterrupt):
        release(mesh, journal)
    assert mesh.weights[-1] == 0
    assert journal.read() is None


# -- a process that died ---------------------------------------------------------------------------


def in_force(weight: int) -> list[dict[str, Any]]:
    return [RULES[0], virtual_service(to("one", 100 - weight), to("two", weight))]


def died(mesh: SimulatedMesh, journal: Journal, at: int) -> None:
    """The release's process is gone at the reading number ``at``."""
    seen = iter(range(at + 1))

    def die() -> None:
        if next(seen) == at:
            raise MeshproofError("as if killed")

    mesh.on_tail = die
    with pytest.raises(MeshproofError, match="as if killed"):
        release(mesh, journal)
    mesh.on_tail = lambda: None


def test_it_is_taken_up_where_it_stood(journal: Journal) -> None:
    mesh = SimulatedMesh()
    died(mesh, journal, 3)
    assert mesh.weights == [10]
    unfinished = journal.read()
    assert unfinished is not None
    assert unfinished.state.phase is Phase.WATCHING
    assert release(mesh, journal, in_force(10)).released
    assert mesh.weights == [10, 50, 100]


def test_what_was_decided_is_done_once_more_where_that_was_not_noted(journal: Journal) -> None:
    mesh = SimulatedMesh()
    whole = replace(PLAN, old="v0.1")
    journal.write(JournalEntry(ReleaseState(whole, step=1), "0", Impact(7, 1, 0)))
    outcome = release(mesh, journal, in_force(10))
    assert mesh.weights == [50, 100]
    assert outcome.impact.failed == 1


def test_where_the_mesh_has_undone_it_it_begins_anew(journal: Journal) -> None:
    mesh = SimulatedMesh()
    died(mesh, journal, 3)
    began = start.start(in_force(0), journal, PLAN)
    assert "was left, and undone" in began.note
    assert began.entry.state == ReleaseState(replace(PLAN, old="v0.1"))


def test_another_release_is_refused_until_the_one_left_is_ended(journal: Journal) -> None:
    mesh = SimulatedMesh()
    died(mesh, journal, 3)
    with pytest.raises(UsageError, match=r"to v0\.2 was left at 10 %.*--abort"):
        start.start(in_force(10), journal, replace(PLAN, new="v0.3"))
    began = start.abort(in_force(10), journal, "svcb")
    ReleaseController(mesh, began.rule, journal, lambda _: None).run(began.entry, step_limit=60)
    assert mesh.weights == [10, 0]
    with pytest.raises(UsageError, match="no release of svcb is under way"):
        start.abort(in_force(0), journal, "svcb")
