"""``explain`` on what the sidecars of the running mesh hold says what then happens.

On a cluster that is Istio's own configuration, read from each Envoy.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import cast

import pytest

from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from meshproof.control.routes.explain import SupportsExplain
from meshproof.explain.result import APP, MESH, OUTSIDE, Outcome
from meshproof.mesh import Mesh

pytestmark = pytest.mark.long
NOTIFY = "http://svcb/notify?msg=hello&id=explain"
MSGD = "http://10.100.35.27:9997/"
N = 20


def outcomes(mesh: Mesh, source: str, url: str) -> list[tuple[float, Outcome]]:
    explanation = cast("SupportsExplain", mesh).explain(source, url)
    result = explanation.outcomes()
    assert sum(chance for chance, _ in result) == pytest.approx(1)
    return result


def chances(mesh: Mesh, source: str, url: str) -> dict[str, float]:
    """Version -> the chance that it answers."""
    result: dict[str, float] = {}
    for chance, outcome in outcomes(mesh, source, url):
        assert outcome.kind == APP, outcome
        result[outcome.version] = round(result.get(outcome.version, 0.0) + chance, 6)
    return result


def versions(mesh: Mesh) -> Counter[str]:
    return Counter(json.loads(mesh.curl("svca", NOTIFY).body)["version"] for _ in range(N))


def test_weights_and_versions_are_those_that_answer(mesh: Mesh) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"], RULES / "svcb_v0_2_100.yaml"])
    assert chances(mesh, "svca", NOTIFY) == {"v0.2": 1.0}
    assert versions(mesh) == {"v0.2": N}
    mesh.apply([RULES / "svcb_v0_1_90_v0_2_10.yaml"])
    assert chances(mesh, "svca", NOTIFY) == {"v0.1": 0.9, "v0.2": 0.1}
    (first, *_) = outcomes(mesh, "gateway", "http://payments.test/pay")
    assert (first[0], first[1].kind, first[1].workload) == (1.0, APP, "svca")


def test_what_no_rule_opens_is_refused_and_an_open_host_is_outside(mesh: Mesh) -> None:
    ((_, closed),) = outcomes(mesh, "svca", MSGD)
    assert closed.kind != OUTSIDE
    assert mesh.curl("svca", MSGD).refused_by
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    ((_, open_),) = outcomes(mesh, "svca", MSGD)
    assert open_.kind == OUTSIDE
    assert open_.workload in ("msgd.test", "10.100.35.27"), "its name, or its alias in the rule"
    assert not mesh.curl("svca", f"{MSGD}healthz").refused_by


def test_a_policy_names_whom_it_lets_in(mesh: Mesh) -> None:
    mesh.apply([RULES / "svcb_only_from_svca.yaml"])
    assert set(chances(mesh, "svca", NOTIFY)) == {"v0.1", "v0.2"}
    assert mesh.curl("svca", NOTIFY).status != 403
    for _, outcome in outcomes(mesh, "svcb-v0.1", NOTIFY):
        assert (outcome.kind, outcome.status) == (MESH, 403)
        assert outcome.rule is not None
        assert outcome.rule.kind == "AuthorizationPolicy"
    assert mesh.curl("svcb-v0.1", NOTIFY).status == 403
