"""Scrapes one pod: its sidecar, and its app where ``prometheus.io/...`` annotations say so, as one
page; Istio's agent serves the same at port 15020.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from meshproof.embedded.local_http import LocalClient
from meshproof.embedded.pod.workload import Workload
from meshproof.embedded.sandbox import SocketFactory
from meshproof.model.kube_workloads import template_of
from meshproof.telemetry import packed_labels
from meshproof.telemetry.prometheus import TEXT, Families, Family, add
from meshproof.translate.world import Address

_LIMIT = 10.0
"""Seconds for an app's page."""
_PREFIX = "prometheus.io/"
_STATS = "/stats/prometheus?usedonly"
"""Without metrics that were never counted: they would be most of the page."""
UP = "meshproof_scraped"


class Sidecar(Protocol):
    """An Envoy's admin interface."""

    async def admin(self, path: str) -> bytes:
        """Raises MeshproofError when it does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class MetricsEndpoint:
    """Where an app serves its metrics."""

    address: Address
    path: str
    make_socket: SocketFactory | None = None
    """Makes the sockets, where it is in a pod."""


def find_endpoint(
    workload: Workload,
    address_of: Callable[[int], Address],
    make_socket: SocketFactory | None = None,
) -> MetricsEndpoint | None:
    """None where no annotation asks for it. Without one for the port it is the app's first."""
    annotations = template_of(workload.deployment).metadata.annotations
    if annotations.get(f"{_PREFIX}scrape") != "true":
        return None
    first = workload.ports[0][1] if workload.ports else 80
    port = annotations.get(f"{_PREFIX}port", "")
    number = int(port) if port.isdigit() else first
    path = annotations.get(f"{_PREFIX}path", "/metrics")
    path = path if path.startswith("/") else f"/{path}"
    return MetricsEndpoint(address_of(number), path, make_socket)


async def scrape(envoy: Sidecar, app: MetricsEndpoint | None) -> Families:
    """Sidecar and app as one page. Raises MeshproofError where the sidecar does not answer; where
    the app does not, the page says so."""
    if app is None:
        return _merge(await envoy.admin(_STATS))
    sidecar, own = await asyncio.gather(envoy.admin(_STATS), fetch(app))
    return {**_merge(sidecar, own), UP: up_metric("app", up=bool(own))}


def _merge(sidecar: bytes, app: str = "") -> Families:
    families: Families = {}
    add(families, packed_labels.unpack(sidecar.decode(errors="replace")))
    add(families, app)
    return families


async def fetch(app: MetricsEndpoint) -> str:
    """An app's page, empty where there is none."""
    try:
        async with LocalClient(app.address, _LIMIT, app.make_socket) as client:
            status, body = await client.get(app.path, headers={"Accept": TEXT})
    except (OSError, TimeoutError):
        return ""
    return body.decode(errors="replace") if status == 200 else ""


def up_metric(part: str, *, up: bool) -> Family:
    """Whether a part of a pod could be scraped."""
    return Family(
        UP,
        "gauge",
        "Whether this part of the pod could be scraped.",
        [(UP, f'part="{part}"', "1" if up else "0")],
    )
