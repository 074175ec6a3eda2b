"""Bad input changes nothing: every sidecar keeps what it had, and no request notices.

Each file of refused/ holds one kind of mistake; PROBLEMS says what a message must name. These tests
run on every mesh: on a real one here, on a cluster of fakes in tests/cluster/test_refusals.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, weights
from e2e.support.configuration import differences, read_configuration
from meshproof.errors import NotLive, Refused
from meshproof.mesh import STDIN, Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.split import split

RULE = RULES / "svcb_v0_2_100.yaml"
REFUSED = Path(__file__).with_name("refused")


class ExpectedProblem(NamedTuple):
    """Where a message must point, and what it must contain."""

    line: int
    field: str
    found: str
    remedy: str
    """In what is wanted, or in the remedy."""


PROBLEMS = {
    "bad_regex": [ExpectedProblem(9, "spec.http[0].match[0].uri.regex", "(?!", "no look-around")],
    "broken_yaml": [ExpectedProblem(7, "", "a [ is not closed", "close it")],
    "duplicate_key": [ExpectedProblem(10, "spec.http", "line 7 and line 10", "keep one")],
    "image_without_command": [
        ExpectedProblem(
            15, "spec.template.spec.containers[0].image", "example/stranger:1.0", "--images FILE"
        )
    ],
    "unknown_field": [
        ExpectedProblem(
            12, "spec.http[0].route[0].wieght", "is not a field", "did you mean weight?"
        )
    ],
    "unknown_kind": [ExpectedProblem(2, "kind", "VirtualServices", "did you mean VirtualService?")],
    "weight_as_text": [
        ExpectedProblem(10, "spec.http[0].route[0].weight", 'the string "100"', "without quotes")
    ],
    "weights_not_100": [ExpectedProblem(9, "spec.route", "add up to 110", "100")],
    "yes_as_text": [
        ExpectedProblem(10, "spec.subsets[0].labels.canary", "is yes", '"yes"'),
        ExpectedProblem(11, "spec.subsets[1].name", "is n,", '"n"'),
    ],
}
NACKED = """
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata:
  name: default
spec:
  accessLogging:
    - providers: [{name: envoy}]  # without one Istio 1.29 ignores the filter
      filter: {expression: "nosuch(response.code >= 400)"}
"""
"""Valid YAML, and valid to Istio, whose webhook only parses the expression. Envoy refuses it."""
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
    assert sorted(PROBLEMS) == sorted(f.stem for f in REFUSED.glob("*.yaml"))


@pytest.mark.parametrize("stem", PROBLEMS)
def test_a_mistake_is_named_by_place_and_way_out(mesh: Mesh, stem: str) -> None:
    file = REFUSED / f"{stem}.yaml"
    with pytest.raises(Refused) as refusal:
        mesh.apply([file])
    assert [(p.file, p.line, p.field) for p in refusal.value.problems] == [
        (str(file), expected.line, expected.field) for expected in PROBLEMS[stem]
    ]
    for problem, expected in zip(refusal.value.problems, PROBLEMS[stem], strict=True):
        assert expected.found in problem.found
        assert expected.remedy in f"{problem.wanted} {problem.remedy}"


def test_all_mistakes_of_a_call_are_named_at_once(mesh: Mesh) -> None:
    with pytest.raises(Refused) as refusal:
        mesh.apply([REFUSED, RULE])
    locations = {(Path(p.file).stem, p.line, p.field) for p in refusal.value.problems}
    assert locations >= {
        (stem, e.line, e.field) for stem, of_file in PROBLEMS.items() for e in of_file
    }


def test_a_folder_without_yaml_is_refused(mesh: Mesh, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no rules here")
    with pytest.raises(Refused, match=r"holds no \*\.yaml") as refusal:
        mesh.apply([tmp_path])
    assert [p.file for p in refusal.value.problems] == [str(tmp_path)]


def test_a_kustomize_folder_is_applied_as_it_is_built(
    mesh: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, tools = tmp_path / "rules", tmp_path / "bin"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text("resources: [rule.yaml]\n")
    (folder / "rule.yaml").write_text(f"# an input, not an object\n{RULE.read_text()}")
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(Refused, match=r"is a Kustomize folder.*install kubectl or kustomize"):
        mesh.apply([folder])
    tool = tools / "kubectl"
    tool.write_text(f'#!/bin/sh\n[ "$*" = "kustomize {folder}" ] && exec /bin/cat {RULE}\n')
    tool.chmod(0o755)
    applied = mesh.apply([folder])
    assert applied.resources == (
        "DestinationRule payments/svcb created",
        "VirtualService payments/svcb created",
    )


def test_a_document_may_stand_twice_only_if_it_is_identical(mesh: Mesh) -> None:
    rule = Source("once.yaml", RULE.read_text())
    applied = mesh.apply([rule, Source("twice.yaml", RULE.read_text())])
    assert applied.resources == (
        "DestinationRule payments/svcb created",
        "VirtualService payments/svcb created",
    )
    other = Source("other.yaml", (RULES / "svcb_v0_1_50_v0_2_50.yaml").read_text())
    with pytest.raises(Refused, match=r"is defined twice, the first time at once\.yaml") as refusal:
        mesh.apply([rule, other])
    assert {p.file for p in refusal.value.problems} == {"other.yaml"}


def test_bad_input_under_load_changes_nothing(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, tmp_path: Path
) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULE])
    before, status = read_configuration(mesh, tmp_path / "before"), mesh.status()
    running = load().reach(200)
    for stem in PROBLEMS:
        with pytest.raises(Refused):
            mesh.apply([REFUSED / f"{stem}.yaml"])
    for _ in range(5):
        with pytest.raises(NotLive, match=r"(?s)No overload.*Telemetry payments/default \(.*:2\)"):
            mesh.apply([Source(STDIN, NACKED)])
    with pytest.raises(Refused):
        mesh.apply([Source(STDIN, DANGLING)], strict=True)
    results = running.reach(running.progress() + 200).stop()
    assert differences(before, read_configuration(mesh, tmp_path / "after")) == []
    assert (mesh.status().version, mesh.status().resources) == (status.version, status.resources)
    judge(no_failures("requests", results.records, run.access_log(), sent=results.sent))
    judge(split("100 % v0.2 all the while", results.sample(), weights(RULE)))


def test_a_comparison_that_sees_a_change(mesh: Mesh, tmp_path: Path) -> None:
    """The control: a rule that is accepted is seen in every sidecar that routes to svcb."""
    mesh.apply([RULE])
    before = read_configuration(mesh, tmp_path / "before")
    mesh.apply([RULES / "svcb_v0_1_50_v0_2_50.yaml"])
    changed = differences(before, read_configuration(mesh, tmp_path / "after"))
    sidecars = {name.partition(" ")[0] for name in changed}
    assert any(sidecar.rpartition(".")[2].startswith("svca") for sidecar in sidecars)


def test_dangling_and_shadowed_rules_are_applied_with_a_warning_each(mesh: Mesh) -> None:
    mesh.apply([RULE])
    applied = mesh.apply([Source("dangling.yaml", DANGLING)])
    assert applied.resources == ("VirtualService payments/second created",)
    warnings = {(w.line, w.field): w.found for w in applied.warnings}
    assert "does not merge" in warnings[(7, "spec.hosts[0]")]
    assert "is neither a Service" in warnings[(7, "spec.hosts[1]")]
    assert "is neither a Service" in warnings[(10, "spec.http[0].route[0].destination.host")]
    assert "is dead" in warnings[(11, "spec.http[1]")]
    assert {w.file for w in applied.warnings} == {"dangling.yaml"}
    # By its header: a cluster's DNS knows no host that has no Service.
    host = ("host", "nowhere.payments.svc.cluster.local")
    assert mesh.curl("svca", "http://svcb/", headers=[host]).status == 503


def test_strict_refuses_what_else_is_a_warning(mesh: Mesh) -> None:
    mesh.apply([RULE])
    resources = mesh.status().resources
    with pytest.raises(Refused) as refusal:
        mesh.apply([Source(STDIN, DANGLING)], strict=True)
    assert {p.line for p in refusal.value.problems} >= {7, 10, 11}
    assert mesh.status().resources == resources
