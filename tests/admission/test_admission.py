"""What every mesh admits and refuses, and what a profile changes about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from meshproof.admission.admission import Admission, default_namespace
from meshproof.admission.store import Store
from meshproof.errors import Problem, Refused
from meshproof.mesh import Source
from meshproof.model.resource import Resource

SERVICES = """\
apiVersion: v1
kind: Service
metadata: {name: svcb, namespace: shop}
spec: {selector: {app: svcb}, ports: [{name: http, port: 80}]}
"""
RULE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb}
spec:
  hosts: [svcb]
  http:
  - route: [{destination: {host: svcb}}]
"""
OLD_RULE = """\
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: old, namespace: shop}
spec: {destination: {name: svcb}, route: [{labels: {version: v1}}]}
"""
UNSUPPORTED = {
    "field": RULE + "    websocketUpgrade: true\n",
    "value": (
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\n"
        "spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a},\n"
        "  metrics: [{type: Resource, resource: {name: memory,\n"
        "    target: {type: Utilization, averageUtilization: 5}}}]}\n"
    ),
    "kind": (
        "apiVersion: extensions.istio.io/v1alpha1\nkind: TrafficExtension\nmetadata: {name: vms}\n"
        "spec: {template: {network: far}}\n"
    ),
    "kind of another project": (
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec: {}\n"
    ),
    "kind of Kubernetes that is not listed": (
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: r}\nspec: {}\n"
    ),
    "version": (
        "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\n"
        "spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}\n"
    ),
    "use of a kind": (
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: w}\n"
        "spec: {url: 'oci://registry.test/filter:1'}\n"
    ),
    "annotation": RULE.replace("{name: svcb}", "{name: svcb, annotations: {istio.io/rev: canary}}"),
    "field of which the models take less": (
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\n"
        "spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http,"
        " protocol: HTTP}, bind: 127.0.0.1, hosts: ['*']}]}\n"
    ),
    "field that is required here alone": (
        "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s}\n"
        "spec: {egress: [{port: {protocol: HTTP, name: http}, bind: 'unix:///run/s',"
        " hosts: ['*/*']}]}\n"
    ),
}
INVALID = {
    "unknown field": (RULE + "  colour: blue\n", "spec.colour: is not a field"),
    "type": (RULE.replace("[svcb]", "svcb"), 'spec.hosts: is the string "svcb"'),
    "misspelt kind": (
        RULE.replace("VirtualService", "VirtualServce"),
        "did you mean VirtualService",
    ),
    "misspelt kind of Kubernetes": (SERVICES.replace("Service", "Servce"), "did you mean Service"),
    "removed version": (
        "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: d}\nspec: {}\n",
        "was removed in Kubernetes 1.16",
    ),
    "regular expression": (
        RULE.replace("  - route", "  - match: [{uri: {regex: '(?!a)'}}]\n    route"),
        "no look-around",
    ),
    "unsupported, and invalid elsewhere": (
        UNSUPPORTED["field"].replace("[svcb]", "[7]"),
        "spec.hosts[0]",
    ),
    "field of Istio 0.4 that is not honoured": (
        OLD_RULE.replace("spec: {", "spec: {l4Fault: {}, "),
        "l4Fault: is a field of Istio 0.4",
    ),
    "no document": ("# nothing\n", "holds no document"),
}


class Bare:
    """A profile without checks of its own."""

    def __init__(self, *, keeps_unsupported: bool) -> None:
        self.keeps_unsupported = keeps_unsupported

    def check_resources(self, resources: Iterable[Resource]) -> list[Problem]:
        return [r.problem((), "is looked at") for r in resources]

    def check_store(self, store: Store, resources: Sequence[Resource]) -> None:
        if any(r.name == "forbidden" for r in resources):
            raise Refused([resources[0].problem((), "is forbidden")])

    def findings(self, store: Store) -> list[Problem]:
        return [r.problem((), "is odd") for r in store.ordered() if r.name == "odd"]

    def notes(self, changed: Iterable[Resource]) -> list[str]:
        return [f"{r.name} changed" for r in changed]


EMBEDDED = Admission(Bare(keeps_unsupported=False))
CLUSTER = Admission(Bare(keeps_unsupported=True))
BOTH = pytest.mark.parametrize("admission", [EMBEDDED, CLUSTER], ids=["embedded", "cluster"])


def text(yaml: str) -> list[Source]:
    return [Source("f.yaml", yaml)]


def admitted(admission: Admission, *documents: str, strict: bool = False) -> Store:
    resources = admission.read(text("---\n".join(documents)))
    return admission.apply(admission.new_store(), resources, strict=strict).store


# -- what is invalid, and what is only not honoured ------------------------------------------------


@BOTH
@pytest.mark.parametrize("what", INVALID)
def test_what_is_invalid_is_refused_by_every_mesh(admission: Admission, what: str) -> None:
    document, message = INVALID[what]
    with pytest.raises(Refused) as refused:
        admission.read(text(document))
    assert any(message in str(problem) for problem in refused.value.problems)


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_what_the_models_do_not_honour_is_refused_or_kept_as_it_was_written(what: str) -> None:
    with pytest.raises(Refused) as refused:
        EMBEDDED.read(text(UNSUPPORTED[what]))
    assert all(problem.unsupported for problem in refused.value.problems)
    (resource,) = CLUSTER.read(text(UNSUPPORTED[what]), namespace="shop")
    assert [str(p) for p in resource.unsupported] == [str(p) for p in refused.value.problems]
    assert resource.manifest["metadata"]["namespace"] == "shop"
    assert resource.manifest["spec"] == resource.body["spec"]
    outcome = CLUSTER.apply(CLUSTER.new_store(), [resource], strict=True)
    assert outcome.messages == (f"{resource.title} created",)
    assert f"{resource.title} is sent as it was written" in outcome.notes[1]


def test_a_document_that_is_not_decoded_is_neither_linted_nor_lowered() -> None:
    store = admitted(CLUSTER, SERVICES, UNSUPPORTED["field"], OLD_RULE)
    assert {r.kind for r in store.decoded} == {"Service", "RouteRule"}
    assert {r.kind for r in store.lowered} == {"Service", "VirtualService", "DestinationRule"}
    assert len(store.resources) == 3


# -- three oddities of input, the same for every mesh ---------------------------------------------


@BOTH
def test_a_document_that_stands_twice_is_taken_once(admission: Admission) -> None:
    (service,) = admission.read(text(f"{SERVICES}---\n{SERVICES}"))
    assert service.title == "Service shop/svcb"
    with pytest.raises(
        Refused, match=r"f\.yaml:6: .*is defined twice, the first time at f\.yaml:1"
    ):
        admission.read(text(f"{SERVICES}---\n{SERVICES.replace('80', '81')}"))


@BOTH
def test_an_empty_folder_is_refused(admission: Admission, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"the folder holds no \*\.yaml or \*\.yml"):
        admission.read([tmp_path])


@BOTH
def test_a_kustomize_folder_is_what_it_builds(
    admission: Admission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [part.yaml]\n")
    (tmp_path / "part.yaml").write_text("not: an object\n")
    tool = tmp_path / "bin" / "kubectl"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ncat <<END\n{SERVICES}END\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    (service,) = admission.read([tmp_path])
    assert service.title == "Service shop/svcb"
    assert service.location.file == f"`kubectl kustomize {tmp_path}`"


# -- changes --------------------------------------------------------------------------------------


@BOTH
def test_a_change_is_judged_by_lint_and_by_the_profile(admission: Admission) -> None:
    odd = SERVICES.replace("svcb", "odd")
    lost = RULE.replace("host: svcb", "host: lost")
    store = admission.new_store()
    resources = admission.read(text("---\n".join([SERVICES, odd, lost])), namespace="shop")
    outcome = admission.apply(store, resources, strict=False)
    assert outcome.messages[0] == "Service shop/svcb created"
    assert {w.found for w in outcome.warnings} >= {"is odd"}
    assert any("lost" in w.found for w in outcome.warnings)
    assert outcome.notes == ("svcb changed", "odd changed", "svcb changed")
    with pytest.raises(Refused, match="is odd"):
        admission.apply(store, resources, strict=True)
    again = admission.apply(outcome.store, resources, strict=False)
    assert (again.changed, again.notes) == ((), ())
    assert all(message.endswith(" unchanged") for message in again.messages)


@BOTH
def test_what_the_profile_forbids_is_refused(admission: Admission) -> None:
    with pytest.raises(Refused, match="is forbidden"):
        admitted(admission, SERVICES.replace("svcb", "forbidden"))


@BOTH
def test_problems_of_valid_documents_stand_beside_those_of_invalid_ones(
    admission: Admission,
) -> None:
    both = text(f"{SERVICES}---\n{INVALID['type'][0]}")
    with pytest.raises(Refused, match=r"(?s)spec\.hosts.*Service shop/svcb: is looked at"):
        admission.read(both)
    with pytest.raises(Refused) as refused:
        admission.read(both, deleting=True)
    assert "is looked at" not in str(refused.value)


@BOTH
def test_deleting_what_is_not_there_is_refused(admission: Admission) -> None:
    store = admitted(admission, SERVICES)
    outcome = admission.delete(store, admission.read(text(SERVICES)))
    assert outcome.messages == ("Service shop/svcb deleted",)
    assert outcome.store.resources == ()
    with pytest.raises(Refused, match="is not in this mesh; see `meshproof ls`"):
        admission.delete(outcome.store, admission.read(text(SERVICES)))


def test_the_default_namespace_is_the_only_one_with_workloads() -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: SPACE}\n"
        "spec: {containers: [{name: c, image: i}]}\n"
    )
    pods = EMBEDDED.read(text(pod.replace("SPACE", "shop")))
    assert default_namespace(Store(), pods) == "shop"
    more = EMBEDDED.read(text(pod.replace("SPACE", "other")))
    assert default_namespace(Store(), [*pods, *more]) == "default"
    assert default_namespace(Store(), ()) == "default"
