"""On a cluster that exists: used, and nothing of its own touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import MeshproofError, UsageError
from tests.fakes.cluster_machine import CONTEXT_SETTINGS, Machine, mesh_on, up_on_context


def test_images_are_pushed_and_no_cluster_is_made(machine: Machine, tmp_path: Path) -> None:
    up_on_context(machine, tmp_path)
    pushed = [c.split()[-1] for c in machine.ran("docker push")]
    assert len(pushed) == 3
    assert all(name.startswith("registry.site/demo/meshproof/") for name in pushed)
    assert not machine.ran("kind ")
    assert all(c.startswith("kubectl --context site ") for c in machine.ran(" apply "))


def test_a_context_of_kind_needs_no_registry(machine: Machine, tmp_path: Path) -> None:
    up_on_context(machine, tmp_path, CONTEXT="kind-mine", REGISTRY="")
    (load,) = machine.ran("kind load")
    assert load.endswith("--name mine")


def test_a_cluster_without_a_registry_is_named(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="REGISTRY is not set"):
        up_on_context(machine, tmp_path, REGISTRY="")
    with pytest.raises(UsageError, match="CONTEXT is not set"):
        mesh_on(machine, tmp_path, {}, kind="context")


def test_a_namespace_of_somebody_elses_ends_it(machine: Machine, tmp_path: Path) -> None:
    space = {"kind": "Namespace", "metadata": {"name": "payments", "labels": {"team": "x"}}}
    machine.kube.objects["Namespace", "", "payments"] = space
    with pytest.raises(MeshproofError, match=r"namespace payments of context site exists"):
        up_on_context(machine, tmp_path)
    assert not machine.ran(" apply ")
    assert not machine.ran(" delete ")


def test_down_deletes_by_our_label_only(machine: Machine, tmp_path: Path) -> None:
    mesh = up_on_context(machine, tmp_path)
    commands = machine.since(mesh.down)
    assert commands == [
        "kubectl --context site delete namespace -l meshproof=owned --ignore-not-found",
        "kubectl --context site -n istio-system delete "
        "telemetry.telemetry.istio.io,envoyfilter.networking.istio.io "
        "-l meshproof=owned --ignore-not-found",
        "kubectl --context site delete clusterrole,clusterrolebinding "
        "-l meshproof=owned --ignore-not-found",
    ]


def test_istio_that_stays_is_named(machine: Machine, tmp_path: Path) -> None:
    mesh = mesh_on(machine, tmp_path, CONTEXT_SETTINGS, kind="context")
    (note,) = mesh.up().notes
    assert "Istio stays" in note
