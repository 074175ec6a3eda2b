"""Kubernetes objects that the tests vary, as YAML."""

from __future__ import annotations

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: svca}
spec:
  selector: {matchLabels: {app: svca}}
  template:
    metadata: {labels: {app: svca}}
    spec:
      containers:
      - name: app
        image: svca:1
"""
CONTAINER = "spec.template.spec.containers[0]"
CONFIG = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {A: from-map, B: also}
---
apiVersion: v1
kind: Secret
metadata: {name: sec}
data: {token: czNjcmV0}
stringData: {plain: text}
"""


def service(port: str, more: str = "") -> str:
    """A Service a with these ports, and more fields of its spec."""
    return (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
        f"spec: {{selector: {{app: a}}, ports: [{port}]{more}}}\n"
    )
