"""A real Prometheus on the mesh, and the same payments counted by everybody who saw them.

Every query is plain PromQL on names and labels that both meshes have; a run's counts are the
difference between two readings.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.payments import msgd
from e2e.payments.rules import ROOT
from meshproof.control.routes.cluster import SupportsCluster
from meshproof.mesh import Mesh
from meshproof.telemetry import prometheus_process
from meshproof.telemetry.prometheus_process import PrometheusProcess
from meshproof.telemetry.prometheus_queries import Prometheus

INTERVAL = 3.0
"""Seconds between two scrapes on this machine, and that one may take."""
ADD_ONS = ROOT / "manifests" / "observability"

_SOURCE = 'istio_requests_total{reporter="source",source_workload=~"%s",destination_service=~"%s"}'
_DESTINATION = 'istio_requests_total{reporter="destination",destination_workload=~"%s"}'
QUERIES: Mapping[str, str] = {
    "the gateway's sidecar": _SOURCE % ("istio-ingressgateway", "svca[.].*"),
    "svca's sidecar, in": _DESTINATION % "svca",
    "svca": 'http_requests_total{service="svca",path="/pay"}',
    "payments": "payments_total",
    "svca's sidecar, out": _SOURCE % ("svca", "svcb[.].*"),
    "svcb's sidecars, in": _DESTINATION % "svcb-.*",
    "svcb": 'http_requests_total{service="svcb",path="/notify"}',
    "notifications": "notifications_total",
    "svcb's sidecars, out": _SOURCE % ("svcb-.*", ".*msgd.*"),
    "durations at svca": 'istio_request_duration_milliseconds_count{reporter="destination",'
    'destination_workload="svca"}',
    "msgd": 'http_requests_total{service="msgd",path="/send"}',
    "messages stored or known": 'messages_total{result=~"stored|duplicate"}',
}


@contextmanager
def prometheus_of(mesh: Mesh) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the mesh. Skips the test where none is installed, or where this
    Istio's Envoy counts no requests."""
    if isinstance(mesh, SupportsCluster):  # the cluster's own, as `make observe` has it
        mesh.curl("svca", "http://svca/pay")
        if "istio_requests_total" not in mesh.metrics():
            pytest.skip("this Istio's Envoy lacks Istio's own filters, and with them istio_*")
        mesh.observe(ADD_ONS)
        yield Prometheus(mesh.addon_urls(ADD_ONS)["prometheus"])
        return
    if prometheus_process.binary() is None:
        pytest.skip("no prometheus on this machine (Debian: apt install prometheus)")
    with PrometheusProcess(mesh.url("metrics"), interval=INTERVAL) as prometheus:
        yield prometheus


class PrometheusCounts:
    """Each counter's increase since this object was created."""

    def __init__(self, mesh: Mesh, prometheus: Prometheus, run_id: str) -> None:
        self._mesh, self._prometheus, self._run_id = mesh, prometheus, run_id
        self._before = self._now()

    def _now(self) -> dict[str, int]:
        self._prometheus.wait_for_scrapes(time.time())
        return {who: round(self._prometheus.total(q)) for who, q in QUERIES.items()}

    def since(self) -> dict[str, int]:
        """Counter -> increase; msgd's own store is asked for the run's messages."""
        now = self._now()
        counts = {who: now[who] - before for who, before in self._before.items()}
        return {**counts, "msgd's store": len(msgd.message_ids(self._mesh, self._run_id))}


def panels() -> list[dict[str, Any]]:
    """The panels of every Grafana dashboard."""
    files = sorted((ADD_ONS / "grafana").glob("*.json"))
    return [p for f in files for p in json.loads(f.read_text(encoding="utf-8"))["panels"]]
