"""Documents arrive at the cluster as they were written, 0.4's rules lowered."""

from __future__ import annotations

import re
from typing import Any

import pytest

from meshproof.cluster.manifests import pod_spec_of, pod_spec_path, with_images
from meshproof.cluster.mesh import ClusterMesh
from meshproof.mesh import STDIN, Source
from tests.fakes.cluster_machine import ROOT, Machine

OLD_HALF = ROOT / "rules" / "v1alpha2" / "route-rules-svcb-v0.2-50.yaml"
OLD_EGRESS = ROOT / "rules" / "v1alpha2" / "enable-svcb-engress-rule.yaml"


def rules(machine: Machine) -> set[tuple[str, str]]:
    return {
        (kind, name)
        for kind, namespace, name in machine.kube.objects
        if namespace == "payments" and kind in ("VirtualService", "DestinationRule", "ServiceEntry")
    }


def test_rules_of_the_old_dialect_arrive_lowered(machine: Machine, cluster: ClusterMesh) -> None:
    cluster.apply([OLD_EGRESS, OLD_HALF])
    assert not [k for k in machine.kube.objects if k[0] in ("RouteRule", "EgressRule")]
    (rule,) = [
        o for k, o in machine.kube.objects.items()
        if k[:2] == ("VirtualService", "payments") and k[2] != "pay"
    ]  # fmt: skip
    assert [r["weight"] for r in rule["spec"]["http"][0]["route"]] == [50, 50]
    assert {"ServiceEntry", "DestinationRule"} <= {kind for kind, _ in rules(machine)}
    cluster.delete([OLD_EGRESS, OLD_HALF])
    assert rules(machine) == {("VirtualService", "pay")}


def test_kinds_that_only_a_cluster_honours_go_through(
    machine: Machine, cluster: ClusterMesh
) -> None:
    text = (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        "metadata: {name: none}\nspec: {}\n"
    )
    cluster.apply([Source(STDIN, text)])
    assert ("AuthorizationPolicy", "payments", "none") in machine.kube.objects


def test_words_that_yaml_readers_disagree_on_arrive_as_they_were_read(
    machine: Machine, cluster: ClusterMesh
) -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\n"
        'data: {a: "y", b: "1e3", c: "no", d: "07"}\n'
    )
    cluster.apply([Source(STDIN, text)])
    sent = machine.sent("apply -f -")[-1]
    for word in ("y", "1e3", "no", "07"):
        assert re.search(f"""['"]{word}['"]""", sent), word


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"]
)
def test_every_kind_with_pods_runs_what_was_built(kind: str) -> None:
    spec: dict[str, Any] = {
        "containers": [{"image": "shop/web"}], "initContainers": [{"image": "other:1"}],
    }  # fmt: skip
    for key in reversed(pod_spec_path(kind)):
        spec = {key: spec}
    pod_spec = pod_spec_of(with_images({"kind": kind, **spec}, {"shop/web": "shop/web:abc"}))
    assert pod_spec is not None
    assert pod_spec["containers"] == [{"image": "shop/web:abc"}]
    assert pod_spec["initContainers"] == [{"image": "other:1"}]


@pytest.mark.parametrize("spec", [None, [], {"template": 3}])
def test_an_object_without_pods_stays_as_it_is(spec: object) -> None:
    body = {"kind": "Job", "spec": spec}
    assert with_images(body, {}) is body
    assert with_images({"kind": "Service", "spec": {}}, {}) == {"kind": "Service", "spec": {}}
