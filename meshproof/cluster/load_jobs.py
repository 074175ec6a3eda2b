"""The manifests of a load on a cluster: a locustfile, a Service and two Jobs. Pure."""

from __future__ import annotations

from typing import Any

from meshproof.cluster.assets import LABEL, OWNED, SYSTEM
from meshproof.cluster.kubectl import Json
from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE, service_host
from meshproof.traffic.cluster_worker import HOLD
from meshproof.traffic.distributed_load import DistributedLoad
from meshproof.traffic.load import STOP_SECONDS
from meshproof.traffic.settings import LoadSettings

HOST = f"http://{service_host(INGRESS_GATEWAY, ROOT_NAMESPACE)}"
"""The gateway, as a pod reaches it."""
NAME = "load"
STARTED = 180.0
"""Seconds for every pod to run: an image may have to be pulled."""
DAY = 24 * 3600.0
"""Seconds that a load may take that is bounded by its requests."""
_FOLDER = "/records"
_LOCUSTFILE = "/load/locustfile.py"


def master_arguments(load: DistributedLoad, host: str, locustfile: str = _LOCUSTFILE) -> list[str]:
    users = str(load.users)
    return [
        "--locustfile", locustfile, "--host", host, "--headless", "--master",
        "--expect-workers", str(load.workers), "--expect-workers-max-wait", f"{STARTED:.0f}",
        "--users", users, "--spawn-rate", users, "--only-summary", "--loglevel", "WARNING",
        "--stop-timeout", f"{STOP_SECONDS:.0f}", "--exit-code-on-error", "0",
        *(["--run-time", f"{load.seconds:g}s"] if load.seconds else []),
    ]  # fmt: skip


def worker_arguments(master: str = NAME, locustfile: str = _LOCUSTFILE) -> list[str]:
    return [
        "--locustfile", locustfile, "--worker", "--master-host", master, "--loglevel", "WARNING",
        "--stop-timeout", f"{STOP_SECONDS:.0f}", "--exit-code-on-error", "0",
    ]  # fmt: skip


def documents(load: DistributedLoad, image: str) -> list[Json]:
    """The locustfile, the master's Service, and two Jobs with deadlines of their own."""
    return [
        _document("v1", "ConfigMap", data={"locustfile.py": load.locustfile}),
        _document(
            "v1", "Service",
            spec={
                "selector": {"app": NAME, "role": "master"},
                "publishNotReadyAddresses": True,
                "ports": [{"name": "tcp-locust", "port": 5557}],
            },
        ),
        _job(load, image, "master", 1, master_arguments(load, HOST)),
        _job(load, image, "worker", load.workers, worker_arguments()),
    ]  # fmt: skip


def _document(version: str, kind: str, name: str = NAME, **fields: Any) -> Json:
    labels = {"app": NAME, LABEL: OWNED}
    metadata = {"name": name, "namespace": SYSTEM, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def _job(load: DistributedLoad, image: str, role: str, count: int, arguments: list[str]) -> Json:
    limit = STARTED + load.seconds + STOP_SECONDS + HOLD if load.seconds else DAY
    spec = {
        "completions": count,
        "parallelism": count,
        "completionMode": "Indexed",
        "backoffLimit": 0,
        "activeDeadlineSeconds": int(limit),
        "ttlSecondsAfterFinished": 600,
        "template": {
            "metadata": {"labels": {"app": NAME, "role": role, "run": load.run_id, LABEL: OWNED}},
            "spec": _pod(load, image, arguments),
        },
    }
    return _document("batch/v1", "Job", f"{NAME}-{role}", spec=spec)


def _pod(load: DistributedLoad, image: str, arguments: list[str]) -> Json:
    records, stats = f"{_FOLDER}/requests.ndjson", f"{_FOLDER}/locust.json"
    settings = LoadSettings(load.run_id, records, stats, load.requests, load.path)
    environment = {**settings.as_environment(), "WORKERS": str(load.workers)}
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
