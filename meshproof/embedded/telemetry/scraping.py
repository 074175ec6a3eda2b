"""Reads what one pod counts: its sidecar, and its app where ``prometheus.io/...`` annotations ask
for that, as one page; Istio's agent does the same at port 15020.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.embedded.local_http import LocalClient
from meshproof.model.kube_workloads import template_of
from meshproof.telemetry.prometheus import TEXT, Families, Family, add
from meshproof.translate.world import Address

if TYPE_CHECKING:
    from meshproof.embedded.pod.envoy_process import EnvoyProcess
    from meshproof.embedded.pod.replica import ReplicaRunner

_LIMIT = 3.0
"""Seconds that an app gets for its page."""
_PREFIX = "prometheus.io/"
_STATS = "/stats/prometheus?usedonly"
"""What has never been counted is left out: it would be most of the page."""
UP = "meshproof_scraped"


@dataclass(frozen=True, slots=True)
class App:
    """Where an app says what it counts."""

    address: Address
    path: str


def app_of(runner: ReplicaRunner) -> App | None:
    """None where no annotation asks for it. A port that is missing is the app's first."""
    workload = runner.workload
    said = template_of(workload.deployment).metadata.annotations
    if said.get(f"{_PREFIX}scrape") != "true":
        return None
    first = workload.ports[0][1] if workload.ports else 80
    port = said.get(f"{_PREFIX}port", "")
    number = int(port) if port.isdigit() else first
    path = said.get(f"{_PREFIX}path", "/metrics")
    return App(runner.app_address(number), path if path.startswith("/") else f"/{path}")


async def page(envoy: EnvoyProcess, app: App | None) -> Families:
    """Sidecar and app. Raises MeshproofError where the sidecar does not answer; an app that does
    not is said in the page."""
    if app is None:
        return _page(await envoy.admin(_STATS))
    sidecar, own = await asyncio.gather(envoy.admin(_STATS), read(app))
    return _page(sidecar, own, asked=True)


def _page(sidecar: bytes, app: str = "", *, asked: bool = False) -> Families:
    families: Families = {}
    # Envoy puts its own prefix before Istio's names.
    add(families, sidecar.decode().replace("envoy_istio_", "istio_"))
    add(families, app)
    if asked:
        families[UP] = said(bool(app), "app")
    return families


async def read(app: App) -> str:
    """An app's page, empty where there is none."""
    try:
        async with LocalClient(app.address, timeout=_LIMIT) as client:
            status, body = await client.get(app.path, headers={"Accept": TEXT})
    except (OSError, TimeoutError):
        return ""
    return body.decode(errors="replace") if status == 200 else ""


def said(answered: bool, part: str) -> Family:
    """Whether a part of a pod answered, as a metric."""
    return Family(
        UP,
        "gauge",
        "Whether this part of the pod said what it counts.",
        [(UP, f'part="{part}"', "1" if answered else "0")],
    )
