"""Bad input changes nothing: every sidecar keeps what it had, and no request notices.

Each file of refused/ holds one kind of mistake. What a message must name stands beside it here.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from e2e.payments.requests import no_failures
from e2e.support.configuration import told, unchanged
from e2e.support.rules import EGRESS_BY_ADDRESS, RULES, weights
from meshproof.errors import NotLive, Refused
from meshproof.mesh import STDIN, Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.split import split

RULE = RULES / "svcb_v0_2_100.yaml"
REFUSED = Path(__file__).with_name("refused")


class Said(NamedTuple):
    """Where a message must point, and what it must say: found, and wanted or a remedy."""

    line: int
    field: str
    found: str
    way_out: str


MESSAGES = {
    "bad_regex": [Said(9, "spec.http[0].match[0].uri.regex", "(?!", "no look-around")],
    "broken_yaml": [Said(7, "", "a [ is not closed", "close it")],
    "duplicate_key": [Said(10, "spec.http", "line 7 and line 10", "keep one")],
    "image_without_command": [
        Said(15, "spec.template.spec.containers[0].image", "example/stranger:1.0", "--images FILE")
    ],
    "unknown_field": [
        Said(12, "spec.http[0].route[0].wieght", "is no field", "did you mean weight?")
    ],
    "unknown_kind": [Said(2, "kind", "VirtualServices", "did you mean VirtualService?")],
    "weight_as_text": [
        Said(10, "spec.http[0].route[0].weight", 'the text "100"', "without quotes")
    ],
    "weights_not_100": [Said(9, "spec.route", "add up to 110", "100")],
    "yes_as_text": [
        Said(10, "spec.subsets[0].labels.canary", "is yes", '"yes"'),
        Said(11, "spec.subsets[1].name", "is n,", '"n"'),
    ],
}
NACKED = """
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata:
  name: default
spec:
  accessLogging:
    - filter: {expression: "response.code >="}
"""
"""Valid YAML, valid Istio; the expression is Envoy's to read, which refuses it."""
DANGLING = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: second
spec:
  hosts: [svcb, nowhere]
  http:
    - route:
        - destination: {host: nowhere}
    - route:
        - destination: {host: svcb, subset: nobody}
"""


def test_each_kind_of_mistake_has_its_file() -> None:
    assert sorted(MESSAGES) == sorted(f.stem for f in REFUSED.glob("*.yaml"))


@pytest.mark.parametrize("stem", MESSAGES)
def test_a_mistake_is_named_by_place_and_way_out(mesh: Mesh, stem: str) -> None:
    file = REFUSED / f"{stem}.yaml"
    with pytest.raises(Refused) as refusal:
        mesh.apply([file])
    assert [(p.file, p.line, p.field) for p in refusal.value.problems] == [
        (str(file), said.line, said.field) for said in MESSAGES[stem]
    ]
    for problem, said in zip(refusal.value.problems, MESSAGES[stem], strict=True):
        assert said.found in problem.found
        assert said.way_out in f"{problem.wanted} {problem.remedy}"


def test_all_mistakes_of_a_call_are_named_at_once(mesh: Mesh) -> None:
    with pytest.raises(Refused) as refusal:
        mesh.apply([REFUSED, RULE])
    named = {(Path(p.file).stem, p.line, p.field) for p in refusal.value.problems}
    assert named >= {(stem, s.line, s.field) for stem, all_ in MESSAGES.items() for s in all_}


def test_bad_input_under_load_changes_nothing(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, tmp_path: Path
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    before, status = told(mesh, tmp_path / "before"), mesh.status()
    running = load().reach(200)
    for stem in MESSAGES:
        with pytest.raises(Refused):
            mesh.apply([REFUSED / f"{stem}.yaml"])
    for _ in range(5):
        with pytest.raises(NotLive, match=r"(?s)code >=.*Telemetry payments/default \(.*:2\)"):
            mesh.apply([Source(STDIN, NACKED)])
    with pytest.raises(Refused):
        mesh.apply([Source(STDIN, DANGLING)], strict=True)
    results = running.reach(running.answered() + 200).stop()
    assert unchanged(before, told(mesh, tmp_path / "after")) == []
    assert (mesh.status().version, mesh.status().resources) == (status.version, status.resources)
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
    judge(split("100 % v0.2 all the while", results.sample(), weights(RULE)))


def test_a_comparison_that_sees_a_change(mesh: Mesh, tmp_path: Path) -> None:
    """The control: a rule that is taken is seen by every sidecar that routes to svcb."""
    mesh.apply([RULE])
    before = told(mesh, tmp_path / "before")
    mesh.apply([RULES / "svcb_v0_1_50_v0_2_50.yaml"])
    changed = unchanged(before, told(mesh, tmp_path / "after"))
    assert any(name.startswith("svca") for name in changed)


def test_dangling_and_shadowed_rules_are_applied_with_a_warning_each(mesh: Mesh) -> None:
    mesh.apply([RULE])
    applied = mesh.apply([Source("dangling.yaml", DANGLING)])
    assert applied.resources == ("VirtualService payments/second created",)
    said = {(w.line, w.field): w.found for w in applied.warnings}
    assert "does not merge" in said[(7, "spec.hosts[0]")]
    assert "is no Service" in said[(7, "spec.hosts[1]")]
    assert "is no Service" in said[(10, "spec.http[0].route[0].destination.host")]
    assert "is dead" in said[(11, "spec.http[1]")]
    assert {w.file for w in applied.warnings} == {"dangling.yaml"}
    assert mesh.curl("svca", "http://nowhere.payments.svc.cluster.local/").status == 503


def test_strict_refuses_what_else_is_a_warning(mesh: Mesh) -> None:
    mesh.apply([RULE])
    resources = mesh.status().resources
    with pytest.raises(Refused) as refusal:
        mesh.apply([Source(STDIN, DANGLING)], strict=True)
    assert {p.line for p in refusal.value.problems} >= {7, 10, 11}
    assert mesh.status().resources == resources
