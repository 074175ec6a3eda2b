"""A mesh of many replicas, as manifests and an image table in a folder.

Every workload is a Deployment with a Service of its own, and every sidecar knows every Service.
The gateway leads to the first workload; ``rule`` sends what workloads send to the first to
another one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from bench.load import ROOT
from meshproof.project import Project, load_project

NAMESPACE = "many"
_IMAGE = "bench/echo:1"


def name(index: int) -> str:
    return f"app-{index:03}"


def write(folder: Path, workloads: int, replicas: int) -> Project:
    """Manifests of ``workloads``, each with ``replicas``, in ``folder``; read back as a user's
    project would be."""
    documents: list[dict[str, Any]] = [*_way_in()]
    for index in range(workloads):
        documents += _workload(name(index), replicas)
    manifests, images = folder / "many.yaml", folder / "images.json"
    manifests.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")
    echo = str(ROOT / "bench" / "echo.py")
    command = ["{python}", "-I", "-S", echo, "{socket}"]
    images.write_text(json.dumps({_IMAGE: {"command": command}}), encoding="utf-8")
    return load_project(images=images, manifests=[manifests])


def rule(target: int) -> str:
    """What workloads send to the first workload goes to workload ``target``."""
    destination = {"destination": {"host": name(target)}}
    spec = {"hosts": [name(0)], "http": [{"route": [destination]}]}
    return json.dumps(_object("networking.istio.io/v1", "VirtualService", "switch", spec))


def _object(version: str, kind: str, named: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": named, "namespace": NAMESPACE}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _workload(named: str, replicas: int) -> list[dict[str, Any]]:
    labels = {"app": named, "version": "v1"}
    container = {"name": "echo", "image": _IMAGE, "ports": [{"containerPort": 8080}]}
    deployment = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    port = {"name": "http", "port": 80, "targetPort": 8080}
    return [
        _object("apps/v1", "Deployment", named, deployment),
        _object("v1", "Service", named, {"selector": {"app": named}, "ports": [port]}),
    ]


def _way_in() -> list[dict[str, Any]]:
    port = {"number": 80, "name": "http", "protocol": "HTTP"}
    gateway = {
        "selector": {"istio": "ingressgateway"},
        "servers": [{"port": port, "hosts": ["*"]}],
    }
    first = {"destination": {"host": name(0), "port": {"number": 80}}}
    route = {"hosts": ["*"], "gateways": ["in"], "http": [{"route": [first]}]}
    version = "networking.istio.io/v1"
    return [
        _object(version, "Gateway", "in", gateway),
        _object(version, "VirtualService", "in", route),
    ]
