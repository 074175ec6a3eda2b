"""A mesh whose processes or ports fail reports it at once, and recovers.

On a small mesh (tiny/) of the test's own, beside the suite's: two meshes do not disturb each other.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.support.configuration import differences, read_configuration
from e2e.support.meshes import running
from e2e.support.pods import require_no_pods
from e2e.support.processes import find_pid, processes_of_run, until
from e2e.support.tiny import TINY, build_mesh, nothing_remains, ready
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.embedded.pod import envoy_process
from meshproof.errors import MeshproofError
from meshproof.mesh import STDIN, Source

DEPLOYMENT = next(
    d for d in yaml.safe_load_all((TINY / "mesh.yaml").read_text()) if d["kind"] == "Deployment"
)
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about local processes"
    ),
]


@pytest.fixture(scope="module")
def shared_tiny() -> Iterator[EmbeddedMesh]:
    with running(build_mesh("tiny")) as mesh:
        yield mesh


@pytest.fixture
def tiny(shared_tiny: EmbeddedMesh) -> Iterator[EmbeddedMesh]:
    yield shared_tiny
    shared_tiny.reset()
    assert body_of(shared_tiny) == b"hello"


def body_of(mesh: EmbeddedMesh) -> bytes:
    answer = mesh.curl("web", "http://web/")
    assert answer.status == 200
    return answer.body


def deployment_yaml(mode: str = "", port: int = 8080, **spec: object) -> str:
    """The Deployment with its app in another mode."""
    copy = yaml.safe_load(yaml.safe_dump(DEPLOYMENT))
    copy["spec"] |= spec
    (container,) = copy["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": "MODE", "value": mode}]
    container["ports"][0]["containerPort"] = port
    if mode in ("ready", "never-ready"):
        probe = {"httpGet": {"path": "/readyz", "port": "http"}}
        container["readinessProbe"] = {**probe, "periodSeconds": 1, "failureThreshold": 1}
    return yaml.safe_dump(copy, sort_keys=False)


@pytest.mark.parametrize(
    ("mode", "deadline", "message"),
    [
        ("die", 600, r"ended with exit code 3 before it was ready(.|\n)*no database, no service"),
        ("never-ready", 1, r"not ready within 1 s: /readyz answered"),
    ],
)
def test_a_deployment_that_cannot_start_is_refused_and_changes_nothing(
    tiny: EmbeddedMesh, tmp_path: Path, mode: str, deadline: int, message: str
) -> None:
    before, replicas, ran = (
        read_configuration(tiny, tmp_path / "before"),
        ready(tiny),
        len(processes_of_run(tiny.run_id)),
    )
    with pytest.raises(MeshproofError, match=message):
        tiny.apply([Source(STDIN, deployment_yaml(mode, progressDeadlineSeconds=deadline))])
    assert differences(before, read_configuration(tiny, tmp_path / "after")) == []
    assert ready(tiny) == replicas
    assert len(processes_of_run(tiny.run_id)) == ran
    assert body_of(tiny) == b"hello"


@pytest.mark.proxy
def test_an_app_that_listens_everywhere_is_reported(tiny: EmbeddedMesh) -> None:
    require_no_pods(tiny)
    applied = tiny.apply([Source("web.yaml", deployment_yaml("everywhere"))])
    (warning,) = applied.warnings
    assert warning.file == "web.yaml"
    assert warning.field == "spec.template.spec.containers[0].image"
    assert "0.0.0.0:" in warning.found
    assert "{ip}" in warning.remedy
    assert tiny.apply([Source(STDIN, deployment_yaml())]).warnings == ()


@pytest.mark.parametrize("part", ["app", "sidecar"])
def test_what_is_killed_comes_back_even_without_probes(tiny: EmbeddedMesh, part: str) -> None:
    before = {r.name: r.restarts for r in tiny.status().replicas}
    victim = next(iter(before))
    tiny.fault("kill", "web", part=part, replica=victim)

    def back() -> bool:
        now = {r.name: (r.restarts, r.ready) for r in tiny.status().replicas}
        return now[victim] == (before[victim] + 1, True)

    until(back, f"{victim} is started again and ready")
    assert {r.name for r in tiny.status().replicas} == set(before)


def test_a_paused_sidecar_is_out_of_service_and_holds_up_no_change(tiny: EmbeddedMesh) -> None:
    paused, other = ready(tiny)
    tiny.fault("pause", "web", part="sidecar", replica=paused)
    assert ready(tiny) == [other]
    applied = tiny.apply([Source(STDIN, deployment_yaml().replace("Deployment", "Deployment", 1))])
    assert paused not in {ack.sidecar for ack in applied.acks}
    tiny.reset()
    assert len(ready(tiny)) == 2


def test_a_paused_app_fails_its_probe_and_comes_back(tiny: EmbeddedMesh) -> None:
    tiny.apply([Source(STDIN, deployment_yaml("ready"))])
    paused, other = ready(tiny)
    tiny.fault("pause", "web", replica=paused)
    until(lambda: ready(tiny) == [other], "it is out of service")
    tiny.fault("resume", "web", replica=paused)
    until(lambda: len(ready(tiny)) == 2, "it is in service again")


def test_a_resumed_sidecar_takes_what_it_missed(tiny: EmbeddedMesh, tmp_path: Path) -> None:
    paused, _other = ready(tiny)
    tiny.fault("pause", "web", part="sidecar", replica=paused)
    tiny.apply([Source(STDIN, RULE)])
    tiny.fault("resume", "web", part="sidecar", replica=paused)
    until(lambda: paused in ready(tiny), "it is in service again")
    mine = {
        n: r
        for n, r in read_configuration(tiny, tmp_path / "d").items()
        if n.startswith(f"{paused} ")
    }
    assert "/answered-by-a-rule" in str(mine)


RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
    - match: [{uri: {exact: /answered-by-a-rule}}]
      directResponse: {status: 418}
    - route: [{destination: {host: web}}]
"""


def test_the_gateways_envoy_comes_back(tiny: EmbeddedMesh, tmp_path: Path) -> None:
    pid = find_pid(tiny.run_id, "istio-ingressgateway.json")
    os.kill(pid, signal.SIGKILL)
    until(
        lambda: find_pid_or_none(tiny, "istio-ingressgateway.json") not in (None, pid), "a new one"
    )
    tiny.apply([Source(STDIN, RULE)])
    until(
        lambda: any(
            n.startswith("istio-ingressgateway ") for n in configured_names(tiny, tmp_path)
        ),
        "it is configured",
    )


def find_pid_or_none(mesh: EmbeddedMesh, body_of: str) -> int | None:
    pids = [p.pid for p in processes_of_run(mesh.run_id) if body_of in p.command]
    return pids[0] if pids else None


def configured_names(mesh: EmbeddedMesh, folder: Path) -> list[str]:
    return list(read_configuration(mesh, folder / str(len(list(folder.iterdir())))))


def test_a_port_that_is_taken_on_every_address_is_given_another(tiny: EmbeddedMesh) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        tiny.apply([Source(STDIN, deployment_yaml(port=port))])
        assert body_of(tiny) == b"hello"
        assert not tiny.url("web").endswith(f":{port}")


def test_a_fixed_port_that_is_taken_is_named_with_its_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Port 15001 itself is not free: the suite's own mesh uses it."""
    mesh = build_mesh("taken")
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        monkeypatch.setattr(envoy_process, "FIXED_PORTS", (port,))
        with pytest.raises(MeshproofError, match=rf"0\.0\.0\.0:{port} by process {os.getpid()} "):
            mesh.up()
    assert nothing_remains(mesh)


def test_two_meshes_do_not_disturb_each_other(tiny: EmbeddedMesh, tmp_path: Path) -> None:
    before, replicas = read_configuration(tiny, tmp_path / "before"), tiny.status().replicas
    other = build_mesh("other")
    try:
        other.up()
        assert not {r.address for r in other.status().replicas} & {r.address for r in replicas}
        other.scale("web", 3)
        other.fault("kill", "web")
    finally:
        other.down()
    assert processes_of_run(other.run_id) == []
    assert differences(before, read_configuration(tiny, tmp_path / "after")) == []
    assert tiny.status().replicas == replicas


def test_a_killed_supervisor_is_said_and_takes_everything_along() -> None:
    mesh = build_mesh("lost")
    try:
        mesh.up()
        folder = mesh.run_dir
        os.kill(find_pid(mesh.run_id, "supervisor.py"), signal.SIGKILL)
        until(lambda: mesh.status().replicas[0].reason, "the mesh knows")
        until(lambda: not processes_of_run(mesh.run_id), "its processes are gone")
        assert ready(mesh) == []
        with pytest.raises(MeshproofError, match=r"supervisor was killed.*meshproof down"):
            mesh.scale("web", 1)
    finally:
        mesh.down()
    assert nothing_remains(mesh)
    assert not folder.exists()
