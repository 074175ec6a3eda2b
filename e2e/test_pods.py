"""Pods as other people write them, on a mesh of the test's own: files, init containers, numbers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.support.processes import find_pid, until
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.errors import MeshproofError
from meshproof.mesh import STDIN, Applied, Source
from meshproof.project import load_project

PODS = Path(__file__).with_name("pods")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about local processes"
    ),
]


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[EmbeddedMesh, Applied]]:
    mesh = EmbeddedMesh(load_project(PODS / "meshproof.yaml"), name="pods")
    try:
        applied = mesh.up()
        yield mesh, applied
    finally:
        mesh.down()


@pytest.fixture
def pods(started: tuple[EmbeddedMesh, Applied]) -> Iterator[EmbeddedMesh]:
    yield started[0]
    started[0].reset()


def call(mesh: EmbeddedMesh, host: str) -> tuple[int, bytes]:
    """In pods no name server knows such a host; without, the sidecar answers 502."""
    answer = mesh.curl("caller", f"http://{host}/")
    return answer.status or (502 if "has no address" in answer.refused_by else 0), answer.body


def shell(mesh: EmbeddedMesh, text: str) -> bytes:
    done = mesh.exec("store", ["sh", "-c", text])
    assert done.code == 0, done.stderr
    return done.stdout


def pod(name: str, **spec: object) -> str:
    container = {"name": "app", "image": "web:1", "ports": [{"containerPort": 8080}]}
    whole = {"containers": [container], "terminationGracePeriodSeconds": 1, **spec}
    metadata = {"name": name, "namespace": "pods", "labels": {"app": name}}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": whole})


def test_everything_is_live_and_what_is_not_run_is_named_once(
    started: tuple[EmbeddedMesh, Applied],
) -> None:
    mesh, applied = started
    assert {ack.sidecar for ack in applied.acks} >= {r.name for r in mesh.status().replicas}
    (left_out,) = (note for note in applied.notes if "nobody:1" in note)
    assert left_out.startswith("initContainers[2] is not honoured")


def test_files_are_where_the_environment_says_and_follow_their_config_map(
    pods: EmbeddedMesh,
) -> None:
    assert shell(pods, "cat $MENU $KEY $DATA/seed.json") == b'{"tea": 3}hush{"tea": 3}'
    menu = next(iter(yaml.safe_load_all((PODS / "mesh.yaml").read_text())))
    menu["data"]["menu.json"] = "{}"
    pods.apply([Source(STDIN, yaml.safe_dump(menu))])
    assert shell(pods, "cat $MENU $DATA/seed.json") == b'{}{"tea": 3}'


def test_init_containers_run_to_their_end_before_the_app(pods: EmbeddedMesh) -> None:
    lines = pods.logs("store").splitlines()
    assert sorted(line for line in lines if "seeded" in line) == [
        "seeded store-0",
        "seeded store-1",
    ]


def test_an_init_container_that_fails_is_told_and_nothing_stays(pods: EmbeddedMesh) -> None:
    before = pods.status().resources
    broken = {"name": "bad", "image": "tools:1", "command": ["sh", "-c", "echo no; exit 3"]}
    with pytest.raises(
        MeshproofError, match=r"init container bad of .* ended with code 3"
    ) as refusal:
        pods.apply([Source(STDIN, pod("broken", initContainers=[broken]))])
    assert str(refusal.value).endswith("    no")
    assert pods.status().resources == before


def test_numbered_replicas_have_names_of_their_own(pods: EmbeddedMesh) -> None:
    for number in (0, 1):
        for host in (f"store-{number}.store", f"store-{number}.store.pods.svc.cluster.local"):
            assert call(pods, host) == (200, f"store-{number}".encode())
    assert call(pods, "store-2.store") == (502, b"")
    pods.scale("store", 3)
    assert call(pods, "store-2.store") == (200, b"store-2")
    pods.scale("store", 1)
    assert call(pods, "store-0.store") == (200, b"store-0")
    assert call(pods, "store-1.store")[0] == 502


def test_a_numbered_replicas_files_outlive_it(pods: EmbeddedMesh) -> None:
    shell(pods, "echo kept > $DATA/mine")
    pods.scale("store", 0)
    pods.scale("store", 1)
    assert shell(pods, "cat $DATA/mine") == b"kept\n"


def test_a_container_beside_the_app_is_kept_running(pods: EmbeddedMesh) -> None:
    pods.scale("store", 1)
    (name,) = (r.name for r in pods.status().replicas if r.workload == "store")
    killed = find_pid(pods.run_id, " 9090")
    os.kill(killed, signal.SIGKILL)

    def restarted() -> bool:
        (now,) = (r for r in pods.status().replicas if r.name == name)
        return now.ready and now.restarts == 1

    until(restarted, "the container beside the app is back, and the pod ready")
    assert find_pid(pods.run_id, " 9090") != killed


def test_a_probe_that_cannot_run_is_told_at_once(pods: EmbeddedMesh) -> None:
    probe = {"exec": {"command": ["no-such-tool", "check"]}}
    container = {"name": "app", "image": "web:1", "readinessProbe": probe}
    with pytest.raises(MeshproofError, match="no-such-tool, which is not on this machine"):
        pods.apply([Source(STDIN, pod("probed", containers=[container]))])


@pytest.mark.parametrize(("service", "status"), [("shop", 1), ("other", 2)])
def test_a_grpc_probe(pods: EmbeddedMesh, service: str, status: int) -> None:
    text = pod(
        "health",
        containers=[
            {
                "name": "app",
                "image": "health:1",
                "ports": [{"containerPort": 5000}],
                "readinessProbe": {"grpc": {"port": 5000, "service": service}},
            }
        ],
    )
    if status == 1:
        assert pods.apply([Source(STDIN, text)]).resources == ("Pod pods/health created",)
        return
    with pytest.raises(
        MeshproofError, match=r"not ready within 2 s: grpc\.health\.v1\.Health: status 2"
    ):
        pods.apply([Source(STDIN, _deadline(text))])


def _deadline(text: str) -> str:
    """The pod as a Deployment that waits two seconds for it."""
    workload = yaml.safe_load(text)
    labels = workload["metadata"].pop("labels")
    template = {"metadata": {"labels": labels}, "spec": workload["spec"]}
    workload["spec"] = {
        "selector": {"matchLabels": labels},
        "template": template,
        "progressDeadlineSeconds": 2,
    }
    return yaml.safe_dump({**workload, "apiVersion": "apps/v1", "kind": "Deployment"})
