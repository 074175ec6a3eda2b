"""What a cluster is asked to take: fields of Istio that only it honours, and images that it has."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from meshproof.cluster.mesh import ClusterMesh
from meshproof.errors import Refused
from meshproof.mesh import Source
from tests.cluster.test_node_images import ABSENT, NO_REGISTRY
from tests.fakes.cluster_machine import ROOT, Machine, up_on_context

STRANGER = ROOT / "e2e" / "refused" / "image_without_command.yaml"
IMAGE = "example/stranger:1.0"
WASM_PLUGIN = """\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: filter}
spec: {url: "oci://registry.site/filter:1"}
"""


def without_image(machine: Machine) -> None:
    machine.fail(f"crictl inspecti {IMAGE}", ABSENT)
    machine.fail(f"crictl pull {IMAGE}", NO_REGISTRY)


def test_an_image_that_no_node_can_have_is_refused_before_the_server_is_asked(
    machine: Machine, cluster: ClusterMesh
) -> None:
    without_image(machine)
    before = len(machine.ran("kubectl"))
    with pytest.raises(Refused) as refusal:
        cluster.apply([STRANGER])
    (problem,) = refusal.value.problems
    assert (problem.file, problem.line) == (str(STRANGER), 15)
    assert problem.field == "spec.template.spec.containers[0].image"
    assert f"image {IMAGE} cannot run on this cluster" in problem.found
    assert "--images FILE" in problem.remedy
    assert len(machine.ran("kubectl")) == before


def test_an_image_that_a_node_can_pull_is_applied(machine: Machine, cluster: ClusterMesh) -> None:
    machine.fail(f"crictl inspecti {IMAGE}", ABSENT)
    cluster.apply([STRANGER])
    assert ("Deployment", "payments", "stranger") in machine.kube.objects


def test_pods_with_credentials_of_their_own_are_left_to_the_kubelet(
    machine: Machine, cluster: ClusterMesh
) -> None:
    without_image(machine)
    document = yaml.safe_load(STRANGER.read_text())
    document["spec"]["template"]["spec"]["imagePullSecrets"] = [{"name": "registry"}]
    cluster.apply([Source("secret.yaml", yaml.safe_dump(document))])
    assert not machine.ran("crictl")


def test_images_that_are_built_are_not_asked_for(machine: Machine, cluster: ClusterMesh) -> None:
    assert not machine.ran("crictl")


def test_on_a_context_nobody_is_asked(machine: Machine, tmp_path: Path) -> None:
    without_image(machine)
    up_on_context(machine, tmp_path).apply([STRANGER])
    assert not machine.ran("crictl")


def test_what_only_the_embedded_mesh_cannot_honour_is_sent_with_a_note(
    machine: Machine, cluster: ClusterMesh
) -> None:
    applied = cluster.apply([Source("wasm.yaml", WASM_PLUGIN)])
    assert machine.kube.objects["WasmPlugin", "payments", "filter"]["spec"]["url"]
    assert applied.resources == ("WasmPlugin payments/filter created",)
    (note,) = applied.notes
    assert note.startswith("WasmPlugin payments/filter is sent as it was written")
