"""manifests/observability: what is in it fits, and ``observe`` applies it and shows where it is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.mesh import ClusterMesh
from meshproof.cluster.port_forward import PortForwards
from meshproof.control.routes.cluster import SupportsCluster
from meshproof.errors import MeshproofError, NotLive, UsageError
from meshproof.sources.sources import read_sources
from tests.cluster.istio_metrics import LABELS, METRICS, samples
from tests.fakes.cluster_machine import ROOT, Machine, project

FOLDER = ROOT / "manifests" / "observability"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
DOCUMENTS: list[dict[str, Any]] = [
    document
    for file in KUSTOMIZATION["resources"]
    for document in yaml.safe_load_all((FOLDER / file).read_text())
]
VERSIONS = {
    "Namespace": "v1", "ServiceAccount": "v1", "Service": "v1", "Deployment": "apps/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
}  # fmt: skip


def of(kind: str) -> list[dict[str, Any]]:
    return [d for d in DOCUMENTS if d["kind"] == kind]


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {d["metadata"]["name"]: d for d in of(kind)}


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana" / "payments.json").read_text())
EXPRESSIONS = [(p["title"], t["expr"]) for p in DASHBOARD["panels"] for t in p["targets"]]


OURS = {"payments_total", "messages_total", "namespace", "result"}
"""Names and labels of what the services count, and of the targets."""


def grouped(expression: str) -> set[str]:
    """The labels of its ``by (...)``."""
    groups = re.findall(r"\bby \(([^)]*)\)", expression)
    return {word.strip() for group in groups for word in group.split(",")}


def test_every_kind_is_known_under_its_version() -> None:
    assert {(d["kind"], d["apiVersion"]) for d in DOCUMENTS} <= set(VERSIONS.items())


def test_the_four_are_there_each_with_a_service_that_finds_it() -> None:
    assert set(named("Deployment")) == {"prometheus", "grafana", "kiali", "zipkin"}
    for name, service in named("Service").items():
        deployment = named("Deployment")[name]
        assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
        ports = {p["name"]: p["containerPort"] for p in container(deployment)["ports"]}
        (port,) = service["spec"]["ports"]
        assert ports[port["targetPort"]] == port["port"]


def test_versions_are_pinned_in_one_place() -> None:
    pinned = {i["name"]: i["newTag"] for i in KUSTOMIZATION["images"]}
    images = [container(d)["image"] for d in of("Deployment")]
    assert sorted(pinned) == sorted(images), "no manifest says a version itself"
    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", tag) for tag in pinned.values())


def test_every_volume_is_a_generated_config_map_or_empty() -> None:
    generated = {g["name"] for g in KUSTOMIZATION["configMapGenerator"]}
    mounted = set()
    for deployment in of("Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        volumes = {v["name"]: v for v in pod.get("volumes", ())}
        mounts = {m["name"] for c in pod["containers"] for m in c.get("volumeMounts", ())}
        assert mounts == set(volumes)
        mounted |= {v["configMap"]["name"] for v in volumes.values() if "configMap" in v}
    assert mounted == generated
    files = [f for g in KUSTOMIZATION["configMapGenerator"] for f in g["files"]]
    assert {str(p.relative_to(FOLDER)) for p in FOLDER.glob("*/*")} == set(files)


def test_what_is_bound_is_there_and_only_reads() -> None:
    accounts, roles = named("ServiceAccount"), named("ClusterRole")
    assert set(named("Namespace")) == {KUSTOMIZATION["namespace"]}
    for binding in of("ClusterRoleBinding"):
        assert binding["roleRef"]["name"] in roles
        (subject,) = binding["subjects"]
        assert subject["name"] in accounts
        assert subject["namespace"] == KUSTOMIZATION["namespace"]
    for role in roles.values():
        for rule in role["rules"]:
            looks = set(rule["verbs"]) <= {"get", "list", "watch"}
            assert looks or rule["resources"] == ["pods/portforward"]


def test_all_of_it_is_ours_and_outside_the_mesh() -> None:
    assert KUSTOMIZATION["labels"] == [{"pairs": {"meshproof": "owned"}}]
    assert of("Namespace")[0]["metadata"]["labels"]["istio-injection"] == "disabled"


def test_up_does_not_read_this_folder() -> None:
    folders = {str(Path(name).parent) for name, _ in read_sources(project().manifests)}
    assert folders == {str(FOLDER.parent)}


def test_the_dashboard_has_the_tutorial_s_five() -> None:
    titles = " ".join(title for title, _ in EXPRESSIONS)
    for name in ("requestcount", "requestduration", "requestsize", "responsesize", "tcp bytes"):
        assert name in titles
    queried = {name for _, text in EXPRESSIONS for name in re.findall(r"istio_\w+", text)}
    assert queried <= samples()
    for name in METRICS:
        assert any(one.startswith(name) for one in queried) or name.startswith("istio_tcp_conn")


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS)
def test_a_query_names_metrics_and_labels_that_istio_has(title: str, expression: str) -> None:
    metrics = re.findall(r"([a-zA-Z_:][\w:]*)\s*\{", expression)
    assert metrics
    assert set(metrics) <= samples() | OURS, title
    labels = set(re.findall(r"(\w+)\s*=~?\s*\"", expression)) | grouped(expression)
    assert labels <= LABELS | {"le", *OURS}, title
    assert expression.count("(") == expression.count(")")
    assert ("_bucket" in expression) == ("histogram_quantile" in expression)


def test_legends_name_labels_that_the_query_keeps() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert labels <= grouped(target["expr"])


def test_grafana_finds_its_data_source_and_its_dashboards() -> None:
    (source,) = yaml.safe_load((FOLDER / "grafana" / "datasources.yaml").read_text())["datasources"]
    uids = {p["datasource"]["uid"] for p in DASHBOARD["panels"]}
    assert uids == {source["uid"]}
    (provider,) = yaml.safe_load((FOLDER / "grafana" / "providers.yaml").read_text())["providers"]
    mounts = container(named("Deployment")["grafana"])["volumeMounts"]
    assert provider["options"]["path"] in {m["mountPath"] for m in mounts}


# -- observe -------------------------------------------------------------------------------------


def test_observe_waits_for_each_and_has_spans_copied(
    cluster: ClusterMesh, machine: Machine
) -> None:
    assert isinstance(cluster, SupportsCluster)
    commands = machine.since(lambda: cluster.observe(FOLDER))
    assert commands[0].endswith(f"apply -k {FOLDER}")
    rollouts = [c.split("deploy/")[1].split()[0] for c in commands if "rollout status" in c]
    assert sorted(rollouts[:4]) == ["grafana", "kiali", "prometheus", "zipkin"]
    assert commands[-2].endswith(
        "-n meshproof-system set env deploy/zipkin "
        "COPY_TO=http://zipkin.meshproof-observability:9411/api/v2/spans"
    )


def test_unobserve_deletes_them_and_ends_the_copies(cluster: ClusterMesh, machine: Machine) -> None:
    commands = machine.since(lambda: cluster.unobserve(FOLDER))
    assert any(c.endswith("set env deploy/zipkin COPY_TO-") for c in commands)
    assert commands[-1].endswith(f"delete -k {FOLDER} --ignore-not-found")


def test_an_add_on_that_never_comes_is_an_error(cluster: ClusterMesh, machine: Machine) -> None:
    machine.fail("rollout status deploy/kiali", (1, "", "error: timed out waiting\n"))
    with pytest.raises(MeshproofError, match="meshproof-observability/kiali is not available"):
        cluster.observe(FOLDER)


def test_an_add_on_whose_image_cannot_be_pulled_is_one_at_once(
    cluster: ClusterMesh, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a node without a registry says it; not after five minutes."""
    machine.fail("rollout status deploy/kiali", (1, "", "error: timed out waiting\n"))
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "kiali/kiali"'}
    pod = {
        "metadata": {"name": "kiali-c99795f8d-77mwq", "namespace": "meshproof-observability"},
        "spec": {"containers": [{"name": "kiali"}]},
        "status": {
            "phase": "Pending",
            "containerStatuses": [{"name": "kiali", "state": {"waiting": waiting}}],
        },
    }
    monkeypatch.setattr(Kubectl, "list", lambda *_arguments, **_options: [pod])
    with pytest.raises(NotLive, match=r"(?s)kiali cannot start: .*ImagePullBackOff.*newName"):
        cluster.observe(FOLDER)
    assert len(machine.ran("rollout status deploy/kiali")) == 1


def test_urls_are_by_port_forward(cluster: ClusterMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    targets: list[tuple[str, str, int]] = []

    def url(_self: PortForwards, namespace: str, target: str, port: int) -> str:
        targets.append((namespace, target, port))
        return "http://127.0.0.1:1"

    monkeypatch.setattr(PortForwards, "url", url)
    assert sorted(cluster.addon_urls(FOLDER)) == ["grafana", "kiali", "prometheus", "zipkin"]
    assert ("meshproof-observability", "svc/grafana", 3000) in targets


def test_a_folder_without_kustomization_is_refused(cluster: ClusterMesh, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"kustomization\.yaml"):
        cluster.observe(tmp_path)
