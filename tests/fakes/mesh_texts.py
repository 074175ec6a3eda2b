"""Metrics and replicas as a mesh gives them, in short words."""

from __future__ import annotations

from typing import Any

HOST = "svcb.payments.svc.cluster.local"
GATEWAY = "istio-system/istio-ingressgateway"


def requests(
    count: float,
    source: str = "payments/svca",
    target: str = "payments/svcb-v0.1",
    *,
    service: str = HOST,
    version: str = "v0.1",
    code: str = "200",
    pod: str = "p",
    buckets: dict[str, float] | None = None,
    reporter: str = "source",
) -> str:
    """Prometheus text of one caller's counter, and of its histogram."""
    namespace, _, workload = target.partition("/")
    source_namespace, _, source_workload = source.partition("/")
    labels = (
        f'pod="{pod}",reporter="{reporter}",source_workload="{source_workload}",'
        f'source_workload_namespace="{source_namespace}",destination_workload="{workload}",'
        f'destination_workload_namespace="{namespace}",destination_version="{version}",'
        f'destination_service="{service}",response_code="{code}",response_flags="-"'
    )
    lines = [f"istio_requests_total{{{labels}}} {count}"]
    for bound, n in (buckets or {}).items():
        name = "istio_request_duration_milliseconds_bucket"
        lines.append(f'{name}{{{labels},le="{bound}"}} {n}')
    return "\n".join(lines) + "\n"


def replica(
    workload: str, app: str, version: str = "v0.1", *, ready: bool = True
) -> dict[str, Any]:
    return {
        "name": f"{workload}-1",
        "workload": workload,
        "namespace": "payments",
        "labels": {"app": app, "version": version},
        "ready": ready,
        "restarts": 0,
        "address": "127.0.0.2",
        "reason": "" if ready else "ended with code 1",
    }


def share(workload: str, percent: float, only: str = "", *more: str) -> dict[str, Any]:
    return {
        "host": HOST,
        "namespace": "payments",
        "workloads": [workload, *more],
        "percent": percent,
        "only": only,
        "rule": "VirtualService payments/svcb",
    }


REPLICAS = [
    replica("svca", "svca"),
    replica("svcb-v0.1", "svcb", "v0.1"),
    replica("svcb-v0.2", "svcb", "v0.2"),
]
SERVING = {HOST: ["svcb-v0.1", "svcb-v0.2"]}
TOPOLOGY = {
    "shares": [share("svcb-v0.1", 90), share("svcb-v0.2", 10)],
    "serving": SERVING,
    "outside": {"msgd.test": "msgd.test", "by-address": "msgd.test"},
}
