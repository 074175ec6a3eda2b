"""The gateway Envoys: one for each gateway workload that a mesh has. They have no app.

``istio-ingressgateway``, where traffic from outside enters, runs for as long as the mesh; all
others come and go with their Deployments, and with the Gateways that ask for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from meshproof.embedded.context import MeshContext
from meshproof.embedded.gateway_names import INGRESS, Key, node_of
from meshproof.embedded.gateway_ports import GatewayPorts
from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.errors import MeshproofError, UsageError
from meshproof.host.backoff import Backoff
from meshproof.host.event_loop import Background, run_all
from meshproof.host.process_spec import Exit
from meshproof.translate.gateway_workloads import gateway_workloads
from meshproof.translate.world import Address, Proxy

_log = logging.getLogger("meshproof")


class GatewayRunner:
    """One gateway Envoy: its process, its address, and the ports that it has there."""

    def __init__(self, context: MeshContext, proxy: Proxy) -> None:
        self._context, self.proxy = context, proxy
        self.node = node_of(proxy)
        first = self.key == INGRESS
        self._slot = 0 if first else context.block.take()
        self.ip = context.block.gateway if first else context.block.sidecar(self._slot)
        self.ready = False
        self.backoff = Backoff()
        self.envoy = EnvoyProcess(
            context,
            self.node,
            slot=self._slot,
            ip=self.ip,
            service=f"{proxy.labels.get('app', proxy.workload)}.{proxy.namespace}",
            metadata={
                "NAMESPACE": proxy.namespace,
                "WORKLOAD_NAME": proxy.workload,
                "LABELS": dict(proxy.labels),
            },
        )
        self.ports = GatewayPorts(self.ip)

    @property
    def key(self) -> Key:
        return (self.proxy.namespace, self.proxy.workload)

    async def show_in_pods(self) -> None:
        """Its Envoy is of this machine; let the pods' sidecars reach its ports."""
        if self._context.sandboxes.enabled:
            for port in self.ports.numbers():
                await self._context.sandboxes.show(Address(ip=self.ip, port=port))

    def url(self, declared: Iterable[int]) -> str:
        """Of the lowest port. Raises UsageError while no Gateway is applied."""
        ports = self.ports.bind(declared)
        if not ports:
            labels = ", ".join(f"{k}: {v}" for k, v in self.proxy.labels.items() if k != "app")
            name = "the gateway" if self.key == INGRESS else f"the gateway {self.node}"
            raise UsageError(
                f"{name} serves nothing: no Gateway selects it; apply a Gateway whose "
                f"selector is `{labels or self.proxy.labels}`"
            )
        return f"http://{self.ip}:{ports[min(ports)]}"

    async def stop(self) -> None:
        """End it for good."""
        self.ready = False
        self._context.sandboxes.hide(self.ip)
        await self.envoy.stop()
        self._context.block.release(self._slot)


@dataclass(frozen=True)
class GatewayTurnover:
    """What a change does to the gateways: start ``new``, then end ``old``."""

    new: tuple[GatewayRunner, ...]
    old: tuple[GatewayRunner, ...]


class Gateways:
    """All gateways of a mesh. Use it in the mesh's event loop. ``on_change`` is called when one
    ends or is back; it must not block."""

    def __init__(self, context: MeshContext, on_change: Callable[[], None]) -> None:
        self._context, self._on_change = context, on_change
        (ingress, *_) = gateway_workloads(())
        self.ingress = GatewayRunner(context, ingress)
        self.runners: list[GatewayRunner] = [self.ingress]
        self._tasks = Background()

    def plan(self, proxies: Iterable[Proxy]) -> GatewayTurnover:
        """Compare with what runs. A gateway that stays takes its new labels and files at once."""
        desired = {(p.namespace, p.workload): p for p in proxies}
        running = {r.key: r for r in self.runners}
        new = tuple(
            GatewayRunner(self._context, proxy)
            for key, proxy in desired.items()
            if key not in running
        )
        old = tuple(r for r in self.runners if r.key not in desired and r is not self.ingress)
        return GatewayTurnover(new, old)

    def update(self, proxies: Iterable[Proxy]) -> Mapping[Key, Proxy]:
        """Give the gateways that stay their labels and files as they are now; returns what they
        had."""
        desired = {(p.namespace, p.workload): p for p in proxies}
        previous = {r.key: r.proxy for r in self.runners}
        for runner in self.runners:
            runner.proxy = desired.get(runner.key, runner.proxy)
        return previous

    async def start(self, new: Iterable[GatewayRunner]) -> None:
        """Start and wait until each serves. Their configuration must be set before."""
        started = list(new)
        await run_all(runner.envoy.start() for runner in started)
        await run_all(runner.envoy.wait_ready() for runner in started)
        for runner in started:
            runner.ready = True

    async def end(self, old: Iterable[GatewayRunner]) -> None:
        ended = list(old)
        self.runners = [r for r in self.runners if r not in ended]
        await asyncio.gather(*(r.stop() for r in ended), return_exceptions=True)

    async def close(self) -> None:
        """Start none again; the processes themselves end with the supervisor."""
        self._tasks.cancel()
        for runner in self.runners:
            await runner.envoy.close()

    def end_monitoring(self) -> None:
        self._tasks.cancel()

    def on_exit(self, exit_: Exit) -> None:
        """A process of the mesh ended."""
        for runner in self.runners:
            if exit_.name == runner.envoy.process:
                runner.envoy.on_exit()
                if runner.ready:
                    runner.ready = False
                    self._on_change()
                    self._tasks.start(self._restart(runner))

    async def _restart(self, runner: GatewayRunner) -> None:
        """Until it serves again."""
        while True:
            await asyncio.sleep(runner.backoff.delay(time.monotonic()))
            try:
                await self.start([runner])
            except (MeshproofError, OSError) as error:
                _log.warning("the Envoy of gateway %s did not start again: %s", runner.node, error)
                await runner.envoy.end_process()
                continue
            self._on_change()
            return
