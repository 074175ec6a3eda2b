"""What there is to scrape in a mesh, a target a pod, and the pages of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

from meshproof.embedded.engine import Engine
from meshproof.embedded.gateway import PROXY
from meshproof.embedded.telemetry import scraping
from meshproof.errors import MeshproofError
from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE
from meshproof.telemetry.prometheus import Families, Family, add, render

AGENT_PORT = 15020
"""Where Istio's agent serves a pod's page: a target's ``instance`` on both meshes."""
SELF = "meshproof"
"""The pod by whose name the mesh's own process speaks."""
OUTSIDE = "outside"
"""The namespace by whose name hosts outside the mesh speak."""


@dataclass(frozen=True, slots=True)
class Target:
    """One pod. ``read`` raises MeshproofError where it does not answer."""

    namespace: str
    pod: str
    instance: str
    read: Callable[[], Awaitable[Families]]
    workload: tuple[str, str] | None = None
    """Namespace and name, where it is a replica that runs."""


def targets(engine: Engine) -> list[Target]:
    """All that runs, then replicas that have ended, the mesh itself last."""
    return [*_running(engine), *_retired(engine), *_outside(engine), _own(engine)]


def _running(engine: Engine) -> Iterator[Target]:
    envoy = engine.gateway.envoy
    yield Target(
        PROXY.namespace,
        INGRESS_GATEWAY,
        f"{engine.gateway.ip}:{AGENT_PORT}",
        lambda: scraping.page(envoy, None),
    )
    for runner in engine.fleet.runners:
        yield Target(
            runner.workload.namespace,
            runner.name,
            f"{runner.ip}:{AGENT_PORT}",
            lambda r=runner: scraping.page(r.envoy, scraping.app_of(r)),  # type: ignore[misc]
            runner.workload.key,
        )


def _retired(engine: Engine) -> Iterator[Target]:
    running = {r.name for r in engine.fleet.runners}
    for pod, (namespace, ip, page) in engine.runtime.retired.pages().items():
        if pod not in running:
            yield Target(namespace, pod, f"{ip}:{AGENT_PORT}", lambda p=page: _ready(p))  # type: ignore[misc]


async def _ready(page: Families) -> Families:
    return page


def _outside(engine: Engine) -> Iterator[Target]:
    for host in engine.outside:
        if host.declared.metrics:
            address = next(iter(host.addresses.values()))
            app = scraping.App(address, host.declared.metrics)
            yield Target(
                OUTSIDE,
                host.host,
                f"{address.ip}:{address.port}",
                lambda a=app, n=host.host: _app_alone(a, n),  # type: ignore[misc]
            )


async def _app_alone(app: scraping.App, name: str) -> Families:
    text = await scraping.read(app)
    if not text:
        raise MeshproofError(f"{name} does not say what it counts at {app.path}")
    families: Families = {}
    add(families, text)
    return families


def _own(engine: Engine) -> Target:
    async def page() -> Families:
        counts, copies = engine.spans.counts(), engine.spans.copies
        return dict(
            _metric(name, kind, help_, value)
            for name, kind, help_, value in (
                ("span_reports_total", "counter", "Reports of spans taken.", counts.reports),
                (
                    "span_reports_dropped_total",
                    "counter",
                    "Reports of spans given up for want of room, or for their age.",
                    counts.dropped,
                ),
                ("span_bytes", "gauge", "Bytes of reports kept.", counts.kept_bytes),
                (
                    "span_copies_lost_total",
                    "counter",
                    "Reports that a collector beside ours did not get.",
                    sum(c.lost for c in copies),
                ),
                (
                    "retired_replicas_forgotten_total",
                    "counter",
                    "Replicas that have ended and whose counts are no longer told.",
                    engine.runtime.retired.forgotten,
                ),
            )
        )

    return Target(ROOT_NAMESPACE, SELF, f"{engine.runtime.block.observability}:{AGENT_PORT}", page)


def _metric(name: str, kind: str, help_: str, value: int) -> tuple[str, Family]:
    full = f"{SELF}_{name}"
    return full, Family(full, kind, help_, [(full, "", str(value))])


async def text_of(chosen: Iterable[Target]) -> str:
    """Several pods as one Prometheus text: each sample says of which it is. Raises MeshproofError
    where one does not answer."""
    some = list(chosen)
    pages = await asyncio.gather(*(t.read() for t in some))
    return await asyncio.to_thread(lambda: render(_together(zip(some, pages, strict=True))))


async def page_of_all(chosen: Iterable[Target], *, openmetrics: bool) -> str:
    """The same, for a scrape: who does not answer is left out, and said."""
    some = list(chosen)
    found = await asyncio.gather(*(t.read() for t in some), return_exceptions=True)
    pages = []
    for target, page in zip(some, found, strict=True):
        if isinstance(page, MeshproofError):
            pages.append((target, {scraping.UP: scraping.said(False, "sidecar")}))
        elif isinstance(page, BaseException):
            raise page
        else:
            pages.append((target, page))
    return await asyncio.to_thread(lambda: render(_together(pages), openmetrics=openmetrics))


def _together(pages: Iterable[tuple[Target, Families]]) -> Families:
    families: Families = {}
    for target, page in pages:
        add(families, render(page), {"namespace": target.namespace, "pod": target.pod})
    return families
