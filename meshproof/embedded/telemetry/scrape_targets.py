"""What can be scraped in a mesh, one target for each pod, and the pages of the targets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

from meshproof.embedded.engine import Engine
from meshproof.embedded.gateway import GatewayRunner
from meshproof.embedded.outside import OutsideRunner
from meshproof.embedded.pod import scraping
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.errors import MeshproofError
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.telemetry.prometheus import Families, Family, add, render

AGENT_PORT = 15020
"""Where Istio's agent serves a pod's page: a target's ``instance`` on both meshes."""
SELF = "meshproof"
"""The pod of the mesh's own process."""
OUTSIDE = "outside"
"""The namespace of hosts outside the mesh."""


@dataclass(frozen=True, slots=True)
class Target:
    """One pod. ``read`` raises MeshproofError where it does not answer."""

    namespace: str
    pod: str
    instance: str
    read: Callable[[], Awaitable[Families]]
    workload: tuple[str, str] | None = None
    """Namespace and name, where it is a running replica."""


def list_targets(engine: Engine) -> list[Target]:
    """Everything that runs, then replicas that have ended, then outside hosts, the mesh last."""
    return [
        *map(_of_gateway, engine.gateways.runners),
        *map(_of_replica, engine.fleet.runners),
        *_of_retired(engine),
        *(_of_outside(host, path) for host in engine.outside if (path := host.declared.metrics)),
        _of_mesh(engine),
    ]


def _of_gateway(runner: GatewayRunner) -> Target:
    async def read() -> Families:
        return await scraping.scrape(runner.envoy, None)

    return Target(runner.proxy.namespace, runner.node, f"{runner.ip}:{AGENT_PORT}", read)


def _of_replica(runner: ReplicaRunner) -> Target:
    async def read() -> Families:
        return await scraping.scrape(runner.envoy, runner.metrics_endpoint())

    workload = runner.workload
    instance = f"{runner.ip}:{AGENT_PORT}"
    return Target(workload.namespace, runner.name, instance, read, workload.key)


def _of_retired(engine: Engine) -> Iterator[Target]:
    running = {r.name for r in engine.fleet.runners}
    for pod, (namespace, ip, page) in engine.context.retired.pages().items():
        if pod not in running:
            yield Target(namespace, pod, f"{ip}:{AGENT_PORT}", _returns(page))


def _returns(page: Families) -> Callable[[], Awaitable[Families]]:
    async def read() -> Families:
        return page

    return read


def _of_outside(host: OutsideRunner, path: str) -> Target:
    endpoint = scraping.MetricsEndpoint(host.address, path)

    async def read() -> Families:
        text = await scraping.fetch(endpoint)
        if not text:
            raise MeshproofError(f"{host.host} serves no metrics at {path}")
        families: Families = {}
        add(families, text)
        return families

    return Target(OUTSIDE, host.host, f"{host.address.ip}:{host.address.port}", read)


def _of_mesh(engine: Engine) -> Target:
    async def read() -> Families:
        counts, forwarders = engine.spans.counts(), engine.spans.forwarders
        return dict(
            (
                _metric(
                    "span_reports_total", "counter", "Reports of spans received.", counts.reports
                ),
                _metric(
                    "span_reports_dropped_total",
                    "counter",
                    "Reports of spans dropped for lack of space, or because of their age.",
                    counts.dropped,
                ),
                _metric("span_bytes", "gauge", "Bytes of reports kept.", counts.kept_bytes),
                _metric(
                    "span_copies_lost_total",
                    "counter",
                    "Reports that another collector did not get.",
                    sum(f.lost for f in forwarders),
                ),
                _metric(
                    "retired_replicas_forgotten_total",
                    "counter",
                    "Replicas that have ended and whose metrics are no longer kept.",
                    engine.context.retired.forgotten,
                ),
            )
        )

    instance = f"{engine.context.block.observability}:{AGENT_PORT}"
    return Target(ROOT_NAMESPACE, SELF, instance, read)


def _metric(name: str, kind: str, help_: str, value: int) -> tuple[str, Family]:
    full = f"{SELF}_{name}"
    return full, Family(full, kind, help_, [(full, "", str(value))])


async def read_all(targets: Iterable[Target]) -> str:
    """Several pods as one Prometheus text: each sample is labelled with its pod. Raises
    MeshproofError where one does not answer."""
    every = list(targets)
    pages = await asyncio.gather(*(t.read() for t in every))
    return await asyncio.to_thread(lambda: render(_merge(zip(every, pages, strict=True))))


async def scrape_all(targets: Iterable[Target], *, openmetrics: bool) -> str:
    """The same for a scrape: a pod that does not answer is left out, and the page says so."""
    every = list(targets)
    results = await asyncio.gather(*(t.read() for t in every), return_exceptions=True)
    pages = []
    for target, result in zip(every, results, strict=True):
        if isinstance(result, MeshproofError):
            pages.append((target, {scraping.UP: scraping.up_metric("sidecar", up=False)}))
        elif isinstance(result, BaseException):
            raise result
        else:
            pages.append((target, result))
    return await asyncio.to_thread(lambda: render(_merge(pages), openmetrics=openmetrics))


def _merge(pages: Iterable[tuple[Target, Families]]) -> Families:
    families: Families = {}
    for target, page in pages:
        add(families, render(page), {"namespace": target.namespace, "pod": target.pod})
    return families
