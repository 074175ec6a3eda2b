"""A load on a cluster as Kubernetes is told: a locustfile, a Service, and two Jobs. Pure."""

from __future__ import annotations

from typing import Any

from meshproof.cluster.assets import LABEL, OWNED, SYSTEM
from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE, service_host
from meshproof.traffic.cluster_worker import HOLD
from meshproof.traffic.distributed_load import DistributedLoad
from meshproof.traffic.load import STOP_SECONDS
from meshproof.traffic.settings import LoadSettings

HOST = f"http://{service_host(INGRESS_GATEWAY, ROOT_NAMESPACE)}"
"""Where the gateway is for a pod."""
NAME = "load"
STARTED = 180.0
"""Seconds until every pod must run: an image may have to be pulled."""
DAY = 24 * 3600.0
"""The limit of a load that is bounded by its requests."""
_FOLDER = "/records"
_LOCUSTFILE = "/load/locustfile.py"
Json = dict[str, Any]


def master_arguments(order: DistributedLoad, host: str, locustfile: str = _LOCUSTFILE) -> list[str]:
    users = str(order.users)
    return [
        "--locustfile", locustfile, "--host", host, "--headless", "--master",
        "--expect-workers", str(order.workers), "--expect-workers-max-wait", f"{STARTED:.0f}",
        "--users", users, "--spawn-rate", users, "--only-summary", "--loglevel", "WARNING",
        "--stop-timeout", f"{STOP_SECONDS:.0f}", "--exit-code-on-error", "0",
        *(["--run-time", f"{order.seconds:g}s"] if order.seconds else []),
    ]  # fmt: skip


def worker_arguments(master: str = NAME, locustfile: str = _LOCUSTFILE) -> list[str]:
    return [
        "--locustfile", locustfile, "--worker", "--master-host", master, "--loglevel", "WARNING",
        "--stop-timeout", f"{STOP_SECONDS:.0f}", "--exit-code-on-error", "0",
    ]  # fmt: skip


def documents(order: DistributedLoad, image: str) -> list[Json]:
    """The locustfile, the master's Service, and two Jobs that end by themselves."""
    return [
        _document("v1", "ConfigMap", data={"locustfile.py": order.locustfile}),
        _document(
            "v1", "Service",
            spec={
                "selector": {"app": NAME, "role": "master"},
                "publishNotReadyAddresses": True,
                "ports": [{"name": "tcp-locust", "port": 5557}],
            },
        ),
        _job(order, image, "master", 1, master_arguments(order, HOST)),
        _job(order, image, "worker", order.workers, worker_arguments()),
    ]  # fmt: skip


def _document(version: str, kind: str, name: str = NAME, **fields: Any) -> Json:
    labels = {"app": NAME, LABEL: OWNED}
    metadata = {"name": name, "namespace": SYSTEM, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def _job(order: DistributedLoad, image: str, role: str, count: int, arguments: list[str]) -> Json:
    limit = STARTED + order.seconds + STOP_SECONDS + HOLD if order.seconds else DAY
    spec = {
        "completions": count,
        "parallelism": count,
        "completionMode": "Indexed",
        "backoffLimit": 0,
        "activeDeadlineSeconds": int(limit),
        "ttlSecondsAfterFinished": 600,
        "template": {
            "metadata": {"labels": {"app": NAME, "role": role, "run": order.run_id, LABEL: OWNED}},
            "spec": _pod(order, image, arguments),
        },
    }
    return _document("batch/v1", "Job", f"{NAME}-{role}", spec=spec)


def _pod(order: DistributedLoad, image: str, arguments: list[str]) -> Json:
    records, stats = f"{_FOLDER}/requests.ndjson", f"{_FOLDER}/locust.json"
    settings = LoadSettings(order.run_id, records, stats, order.requests, order.path)
    environment = {**settings.as_environment(), "WORKERS": str(order.workers)}
    container = {
        "name": "locust",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "load", "mountPath": "/load"},
            {"name": "records", "mountPath": _FOLDER},
        ],
    }
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "load", "configMap": {"name": NAME}},
            {"name": "records", "emptyDir": {}},
        ],
    }  # fmt: skip
