"""From nothing to a mesh, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from meshproof.cli.output import format_error
from meshproof.cluster.commands import CommandError
from tests.fakes.cluster_machine import Machine, mesh_on, recorded


def order(commands: list[str], *parts: str) -> list[int]:
    """Where each part is first found; -1 for none."""
    return [next((i for i, c in enumerate(commands) if part in c), -1) for part in parts]


def test_each_step_waits_for_the_one_before(machine: Machine, tmp_path: Path) -> None:
    mesh_on(machine, tmp_path).up()
    places = order(
        machine.commands,
        "docker info",
        "kind create cluster",
        "docker build",
        "kind load docker-image",
        "istioctl --kubeconfig",
        "rollout status deploy/zipkin",
        "docker run",
        "apply --dry-run=server",
        "rollout status deploy/svca",
        "config_dump",
    )
    assert places == sorted(places)
    assert -1 not in places


def test_settings_reach_the_tools(machine: Machine, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "flask-3-py3-none-any.whl").touch()
    environ = {
        "KIND_CLUSTER": "rig", "KIND_NODE_IMAGE": "rig/node:1", "KIND_NODES": "2",
        "BASE_IMAGE": "base:1", "WHEELHOUSE": str(wheels), "ISTIO_HUB": "rig.local/istio",
        "ISTIO_TAG": "1.29.6", "ISTIO_SET": "values.telemetry.enabled=false a.b='x y'",
    }  # fmt: skip
    mesh_on(machine, tmp_path, environ).up()
    (create,) = machine.ran("kind create")
    assert "--name rig --image rig/node:1 " in create
    assert len(yaml.safe_load(machine.files["kind.yaml"])["nodes"]) == 2
    assert all("--build-arg BASE=base:1" in c for c in machine.ran("docker build"))
    (install,) = machine.ran("istioctl --kubeconfig")
    values = "--set hub=rig.local/istio --set tag=1.29.6 --set values.telemetry.enabled=false"
    assert f"{values} --set 'a.b=x y'" in install


def test_pods_run_what_was_built(machine: Machine, tmp_path: Path) -> None:
    mesh_on(machine, tmp_path).up()
    svca = machine.kube.objects["Deployment", "payments", "svca"]
    (container,) = svca["spec"]["template"]["spec"]["containers"]
    assert container["image"] in machine.images
    assert container["image"].startswith("meshproof/svca:")
    (loaded,) = machine.ran("kind load")
    assert container["image"] in loaded
    assert "outside-msgd" not in loaded


def test_what_is_there_is_not_made_again(machine: Machine, tmp_path: Path) -> None:
    mesh_on(machine, tmp_path).up()
    commands = machine.since(lambda: mesh_on(machine, tmp_path).up())
    for part in ("kind create", "docker build", "docker run", "network create", "network connect"):
        assert not [c for c in commands if part in c], part


def test_down_removes_what_up_made_and_may_be_repeated(machine: Machine, tmp_path: Path) -> None:
    mesh = mesh_on(machine, tmp_path)
    mesh.up()
    mesh.down()
    assert not machine.cluster
    assert not machine.containers
    assert set(machine.networks) == {"kind"}
    mesh.down()


def test_a_new_process_takes_down_what_a_killed_one_left(machine: Machine, tmp_path: Path) -> None:
    mesh_on(machine, tmp_path).up()
    mesh_on(machine, tmp_path).down()
    assert not machine.cluster
    assert not machine.containers


def test_why_up_failed_is_not_hidden_by_what_the_clean_up_met(
    machine: Machine, tmp_path: Path
) -> None:
    """Docker ends while Istio is installed: then nothing can be removed either."""
    no_docker = recorded("docker version", "no daemon")
    mesh = mesh_on(machine, tmp_path)
    machine.fail("istioctl --kubeconfig", no_docker)
    machine.fail("kind get kubeconfig", no_docker)
    with pytest.raises(CommandError, match="installing Istio") as failure:
        mesh.up()
    message = format_error(failure.value)
    assert message.startswith("error: installing Istio")
    assert "`make sweep` removes it" in message
    assert "kind get kubeconfig" in message
    mesh.down()  # as whoever began it does; it must not raise another error in its place
