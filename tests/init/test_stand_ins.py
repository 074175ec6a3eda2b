"""Stand-ins in place of images: every port that a container or a Service names, HTTP or gRPC."""

from __future__ import annotations

from pathlib import Path

import yaml

from meshproof.init.render import render_project_file
from meshproof.init.stand_ins import stand_in_command
from meshproof.model.reader import read_text
from meshproof.project import load_project

POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: pay, namespace: shop}
spec:
  selector: {matchLabels: {app: pay}}
  template:
    metadata: {labels: {app: pay}}
    spec:
      initContainers: [{name: wait, image: "busybox:1"}]
      containers:
      - name: pay
        image: pay:1
        command: [/pay]
        args: ["--port", "9000"]
        readinessProbe: {grpc: {port: 9001}}
        ports: [{containerPort: 8080, name: web}, {containerPort: 9000, name: grpc-api}]
        env: [{name: BANK, value: "https://bank.test/"}]
---
apiVersion: v1
kind: Service
metadata: {name: pay, namespace: shop}
spec:
  selector: {app: pay}
  ports:
  - {name: http, port: 80, targetPort: web}
  - {name: calls, port: 81, targetPort: 9002, appProtocol: grpc}
  - {name: admin, port: 9003}
"""


def test_every_port_is_served_by_its_protocol() -> None:
    assert stand_in_command("pay:1", read_text(POD, "f")) == (
        "{python}", "-m", "meshproof.stand_in",
        "{ip}:{port}", "grpc:{ip}:9000", "grpc:{ip}:9001", "grpc:{ip}:9002", "{ip}:9003", "--",
    )  # fmt: skip


def test_a_project_of_stand_ins_leaves_nothing_to_say(tmp_path: Path) -> None:
    (tmp_path / "pay.yaml").write_text(POD)
    text = render_project_file(["pay.yaml"], read_text(POD, "f"), stand_ins=True)
    (tmp_path / "meshproof.yaml").write_text(text)
    project = load_project(tmp_path / "meshproof.yaml")
    assert list(project.images) == ["pay:1"], "an init container is left out"
    assert project.outside["bank.test"].command is not None
    assert "TODO" not in yaml.safe_dump(yaml.safe_load(text))
