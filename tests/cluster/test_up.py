"""From nothing to a mesh, and all that a new user's machine may lack on the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from meshproof.cluster import sweep
from meshproof.cluster.state_dir import owner_note, state_dir
from meshproof.errors import MeshproofError, NotLive, UsageError
from tests.fakes.cluster_machine import ROOT, Machine, mesh_on, recorded

_DENIED = (1, "", "permission denied while trying to connect to the Docker daemon socket\n")


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
    wanted = "--set hub=rig.local/istio --set tag=1.29.6 --set values.telemetry.enabled=false"
    assert f"{wanted} --set 'a.b=x y'" in install


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
    again = machine.since(lambda: mesh_on(machine, tmp_path).up())
    for part in ("kind create", "docker build", "docker run", "network create", "network connect"):
        assert not [c for c in again if part in c], part


def test_a_cluster_that_is_not_ours_is_never_touched(machine: Machine, tmp_path: Path) -> None:
    machine.cluster = "meshproof"
    machine.kube.objects["Node", "", "x"] = {"kind": "Node", "metadata": {"name": "x"}}
    with pytest.raises(MeshproofError, match=r"was not made by meshproof.*\n.*MESH=context"):
        mesh_on(machine, tmp_path).up()
    assert not machine.ran("kind delete")
    assert not machine.ran("apply")
    mesh_on(machine, tmp_path).down()
    assert not machine.ran("kind delete")


def test_a_silent_cluster_is_made_anew_only_if_it_is_ours(machine: Machine, tmp_path: Path) -> None:
    machine.cluster = "meshproof"
    machine.fail("get nodes -o json", recorded("kubectl --kubeconfig kubeconfig --server"), times=2)
    with pytest.raises(MeshproofError, match="its API server does not answer"):
        mesh_on(machine, tmp_path).up()
    assert not machine.ran("kind delete")
    home = state_dir("meshproof", tmp_path)
    home.root.mkdir()
    home.note.write_text(json.dumps({"pid": 1, "started": "never"}))
    machine.fail("get nodes -o json", recorded("kubectl --kubeconfig kubeconfig --server"), times=1)
    mesh_on(machine, tmp_path).up()
    assert order(machine.commands, "kind delete", "kind create") > [0, 0]


def test_another_process_of_ours_keeps_its_cluster(machine: Machine, tmp_path: Path) -> None:
    mesh_on(machine, tmp_path).up()
    home = state_dir("meshproof", tmp_path)
    home.root.mkdir(exist_ok=True)
    home.note.write_text(owner_note(os.getppid()))
    guest = mesh_on(machine, tmp_path)
    guest.up()
    guest.down()
    assert not machine.ran("kind delete")
    assert not machine.ran("docker rm")


@pytest.mark.parametrize(
    ("part", "said", "wanted"),
    [
        ("docker info", recorded("docker version", "no daemon"), "start Docker"),
        ("kind create", recorded("kind create", "image cannot be pulled"), "KIND_NODE_IMAGE"),
        ("kind load", recorded("kind load docker-image no/such"), "the image is not built"),
        ("install -y", recorded("istioctl", "never ready"), "ISTIO_HUB and ISTIO_TAG"),
        ("docker run", recorded("docker run -d --name meshproof-msgd demo"), "already in use"),
        (
            "kind create",
            (1, "", "ERROR: failed to create cluster: could not watch: too many open files\n"),
            "max_user_instances",
        ),
        ("docker build", (1, "", "write /x: no space left on device\n"), "the disk is full"),
        ("docker info", _DENIED, "usermod"),
        ("docker run", (125, "", "port is already allocated.\n"), "another process has that port"),
    ],
)  # fmt: skip
def test_what_a_machine_lacks_is_said_with_a_remedy(
    machine: Machine, tmp_path: Path, part: str, said: tuple[int, str, str], wanted: str
) -> None:
    machine.fail(part, said)
    mesh = mesh_on(machine, tmp_path)
    with pytest.raises(MeshproofError) as caught:
        mesh.up()
    assert wanted in str(caught.value)
    assert "exit code" in str(caught.value)
    begun = bool(machine.ran("kind create"))
    machine.fail("kind", (1, "", "all is broken"))
    mesh.down()  # as whoever called up does; it must not hide what was wrong
    assert bool(machine.ran("kind delete")) == begun, "what was begun is taken away"


def test_an_old_docker_says_inside_that_no_daemon_answers(machine: Machine, tmp_path: Path) -> None:
    info = {"ServerErrors": ["Cannot connect to the Docker daemon at unix:///x"]}
    machine.fail("docker info", (0, json.dumps(info), ""))
    with pytest.raises(MeshproofError, match=r"(?s)Docker does not answer.*start Docker"):
        mesh_on(machine, tmp_path).up()


def test_every_missing_or_old_tool_is_named_at_once(machine: Machine, tmp_path: Path) -> None:
    machine.missing = {"kind", "istioctl"}
    machine.fail("kubectl version", (0, '{"clientVersion": {"gitVersion": "v1.20.1"}}', ""))
    with pytest.raises(MeshproofError) as caught:
        mesh_on(machine, tmp_path).up()
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["kind", "kubectl", "istioctl"]
    assert "too old" in lines[1]
    assert "MESH=embedded" in lines[-1]


def test_a_deployment_that_does_not_come_says_why(machine: Machine, tmp_path: Path) -> None:
    machine.fail("rollout status deploy/svca", recorded("kubectl", "not yet"))
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}}}
    pods = machine.kube.pods

    def late(deployment: dict[str, object]) -> list[dict[str, object]]:
        found = pods(deployment)
        for pod in found:
            pod["status"]["conditions"] = []
            pod["status"]["containerStatuses"] = [{"name": "svca", **waiting}]
        return found

    machine.kube.pods = late  # type: ignore[method-assign]
    with pytest.raises(NotLive, match="svca: ImagePullBackOff: no such host"):
        mesh_on(machine, tmp_path).up()


def test_a_subnet_in_use_is_skipped_with_a_word(machine: Machine, tmp_path: Path) -> None:
    machine.fail("network create", recorded("docker network create", "subnet in use"))
    applied = mesh_on(machine, tmp_path).up()
    (note,) = applied.notes
    assert "10.100.35.27" in note
    assert "10.100.35.0/24" in note
    assert not machine.ran("network connect")


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KIND_NODES", "0"), ("KIND_NODES", "two"), ("KIND_CLUSTER", "My Cluster"),
        ("WHEELHOUSE", "/no/such"), ("GATEWAY_API_CRDS", "/no/such"), ("ISTIO_SKIP", "maybe"),
        ("ISTIO_SET", "nothing"), ("ISTIO_SET", "a='b"),
    ],
)  # fmt: skip
def test_bad_settings_are_refused_by_name(
    machine: Machine, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(UsageError, match=name):
        mesh_on(machine, tmp_path, {name: value})


def test_istio_that_is_said_to_be_there_is_looked_for(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(MeshproofError, match=r"istiod does not exist.*ISTIO_SKIP"):
        mesh_on(machine, tmp_path, {"ISTIO_SKIP": "1"}).up()
    assert not machine.ran("install -y")


def test_a_sweep_removes_what_a_killed_process_left(machine: Machine, tmp_path: Path) -> None:
    mesh_on(machine, tmp_path).up()
    home = state_dir("meshproof", tmp_path)
    home.root.mkdir(exist_ok=True)
    home.note.write_text(owner_note(os.getppid()))
    assert sweep.sweep(machine, tmp_path) == [], "its process lives"
    home.note.write_text(json.dumps({"pid": 1, "started": "never"}))
    assert sweep.orphaned_clusters(tmp_path) == ["meshproof"]
    assert sweep.sweep(machine, tmp_path) == ["meshproof"]
    assert not machine.cluster
    assert not machine.containers
    assert set(machine.networks) == {"kind"}
    assert sweep.orphaned_clusters(tmp_path) == []


def test_a_sweep_leaves_a_cluster_that_only_has_our_name(machine: Machine, tmp_path: Path) -> None:
    machine.cluster = "meshproof"
    machine.kube.objects["Node", "", "x"] = {"kind": "Node", "metadata": {"name": "x"}}
    home = state_dir("meshproof", tmp_path)
    home.root.mkdir()
    home.note.write_text(json.dumps({"pid": 1, "started": "never"}))
    assert sweep.sweep(machine, tmp_path) == []
    assert machine.cluster == "meshproof"


def test_rules_that_a_killed_run_left_do_not_meet_the_next(
    machine: Machine, tmp_path: Path
) -> None:
    killed = mesh_on(machine, tmp_path)
    killed.up()
    killed.apply([ROOT / "rules" / "svcb_v0_2_100.yaml"])
    killed.fault("pause", "msgd.test")
    machine.containers["meshproof-msgd.test"]["State"]["Paused"] = True
    theirs = {"kind": "VirtualService", "metadata": {"name": "own", "namespace": "payments"}}
    machine.kube.objects["VirtualService", "payments", "own"] = theirs
    mesh_on(machine, tmp_path).up()
    rules = {k[2] for k in machine.kube.objects if k[:2] == ("VirtualService", "payments")}
    assert rules == {"pay", "own"}, "what is not ours stays"
    assert ("VirtualService", "meshproof-system", "live-mark") in machine.kube.objects
    assert machine.ran("docker rm -f meshproof-msgd.test"), "a paused one is made anew"
