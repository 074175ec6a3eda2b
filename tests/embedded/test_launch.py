"""Where an app is expected to listen."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.pod.deployments import build_workloads
from meshproof.embedded.pod.launch import Launch
from meshproof.model.reader import read_text
from meshproof.project import ImageCommand, Project

APP_IP = "127.250.2.1"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: app, image: "app:1", ports: [{containerPort: 18080}]}]}
"""


def _launch(*command: str, replica: str = "app-1") -> Launch:
    project = Project(Path(), images={"app:1": ImageCommand(command=list(command))})
    store, _ = Store().apply(read_text(DEPLOYMENT, "f"))
    (workload,) = build_workloads(store, project)
    state: Any = SimpleNamespace(workload=workload, name=replica)
    context: Any = SimpleNamespace(sandboxes=SimpleNamespace(enabled=False))
    return Launch(context, state, slot=1, ip="127.250.1.1", app_ip=APP_IP, ordinal=0)


@pytest.fixture
def listener() -> Any:
    with socket.create_server((APP_IP, 0)) as server:
        yield server


def test_a_port_that_the_app_chose_itself_is_its_own_even_if_it_listens_there(
    listener: socket.socket,
) -> None:
    """A Service that is applied later may name a targetPort that no containerPort lists."""
    port = listener.getsockname()[1]
    address = _launch("serve", "--bind", "{ip}:{port}").app_address(port)
    assert (address.ip, address.port) == (APP_IP, port)


def test_the_port_that_an_app_is_told_is_a_free_one() -> None:
    with socket.create_server((APP_IP, 18080)):
        assigned_port = _launch("serve", "--bind", "{ip}:{port}").app_address(18080)
        own_port = _launch("serve", "--host", "{ip}").app_address(18080)
    assert assigned_port.port != 18080
    assert own_port.port == 18080


@pytest.mark.parametrize("replica", ["app-f3a-1", "shop.app-f3a-1"])
def test_a_pod_s_name_does_not_begin_with_its_namespace(replica: str) -> None:
    """A replica's does, where two namespaces have a workload of one name."""
    assert _launch("serve", "{ip}:{port}", replica=replica).host_name == "app-f3a-1"


@pytest.mark.parametrize(("read_only", "hides"), [(True, False), (False, True), (False, False)])
def test_what_the_image_table_gives_to_write_is_there_whatever_hides_or_locks_it(
    tmp_path: Path, *, read_only: bool, hides: bool
) -> None:
    place = str(tmp_path) if hides else "/var/v"
    text = DEPLOYMENT.replace(
        'image: "app:1",',
        f'image: "app:1", securityContext: {{readOnlyRootFilesystem: {str(read_only).lower()}}},'
        f" volumeMounts: [{{name: v, mountPath: {place}}}],",
    ).replace("spec: {containers", "spec: {volumes: [{name: v, emptyDir: {}}], containers")
    command = ["serve", "--bind", "{socket}", "--state", "{dir}"]
    images = {"app:1": ImageCommand(command=command)}
    store, _ = Store().apply(read_text(text, "f"))
    (workload,) = build_workloads(store, Project(Path(), images=images, pods=True))
    state: Any = SimpleNamespace(workload=workload, name="app-1")
    paths = SimpleNamespace(
        private=lambda name: tmp_path / name,
        sockets=tmp_path / "s",
        app=lambda slot: tmp_path / "s" / f"a{slot}",
        app_log=lambda name: tmp_path / f"{name}.log",
    )
    context: Any = SimpleNamespace(
        sandboxes=SimpleNamespace(enabled=True),
        paths=paths,
        urls={},
        base_env={},
        run_id="run",
        project=SimpleNamespace(root=tmp_path),
    )
    launch = Launch(context, state, slot=1, ip="127.250.1.1", app_ip=APP_IP, ordinal=0)
    launch.lay_out()
    spec = launch.spec(workload.program)
    assert spec.read_only is read_only
    own = [str(tmp_path / "app-1"), str(tmp_path / "s")] if read_only or hides else []
    assert [place for _, place in spec.mounts] == sorted([*own, place])
    volume = str(tmp_path / "app-1" / "volumes" / "v")
    assert [source for source, at in spec.mounts if at == place] == [volume]
