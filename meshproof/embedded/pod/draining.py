"""Draining: of listeners that a change replaces, and of a replica before its end.

A change of listeners is live when no traffic goes through the old ones any more. Envoy keeps
replaced filter chains for ``DRAIN_TIME``: it asks their connections to close with the next
response, and closes the remaining ones at the end. Until then they obey the old policies.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.errors import MeshproofError
from meshproof.host.event_loop import run_all
from meshproof.istio_names import VIRTUAL_INBOUND, is_inbound
from meshproof.wait import until_async
from meshproof.xds import codec
from meshproof.xds.envoy_client import EnvoyClient, NackError, Resources

_DRAINING = "listener_manager.total_(filter_chains|listeners)_draining"
"""Envoy's gauges of what still drains."""
_PASSED_THROUGH = f"listener.{VIRTUAL_INBOUND}.downstream_cx_active"
"""Envoy's gauge of connections to ports that nothing declares."""
_LIMIT = 30.0
"""Seconds, far more than a drain takes: one that hangs must not hang the change."""
_ACTIVE = r"^http\.[iI]nbound.*\.downstream_(rq|cx)_active$"
"""Envoy's gauges of inbound requests and connections."""
_REQUESTS_LIMIT, _CONNECTIONS_LIMIT = 15.0, 1.0
"""Seconds that requests in flight, and connections without one, are waited for."""
_IDLE_IN_A_ROW = 3


class ListenerDrain:
    """Create it before a change, ``wait`` after it."""

    def __init__(self, envoys: Iterable[EnvoyProcess]) -> None:
        self._before = [(envoy, envoy.client.desired[codec.LISTENERS]) for envoy in envoys]

    async def wait(self) -> None:
        """Return when every Envoy whose listeners changed has drained the old ones.

        An Envoy that does not answer is not waited for: it serves no connections either. Nor is
        ``virtualInbound`` without connections, which every policy changes and few callers use.
        """
        changes = (
            (envoy, _replaced(before, envoy.client.desired[codec.LISTENERS]))
            for envoy, before in self._before
        )
        await run_all(_wait_drained(envoy, names) for envoy, names in changes if names)


def _replaced(before: Resources, after: Resources) -> set[str]:
    """Names of the listeners of before that were changed or removed."""
    return {n for n, e in before.items() if n not in after or after[n].digest != e.digest}


async def _wait_drained(envoy: EnvoyProcess, listeners: set[str]) -> None:
    """Envoy tells nobody when a drain ends, so it is polled."""

    async def reason() -> str:
        gauges = await envoy.stats(f"{_DRAINING}|{_PASSED_THROUGH}")
        if gauges.pop(_PASSED_THROUGH, None) == 0 and listeners == {VIRTUAL_INBOUND}:
            return ""
        draining = sum(gauges.values())
        return f"{draining} listeners or filter chains are draining" if draining else ""

    with contextlib.suppress(MeshproofError):
        await until_async(reason, f"waiting for {envoy.node} to drain", within=_LIMIT)


async def wait_idle(envoy: EnvoyProcess) -> bool:
    """Wait, within limits, until no request is in flight, and no connection that could bring one.

    A caller that had chosen this replica may still be shaking hands, and Envoys close their
    connections to an endpoint that is removed. Clients outside the mesh may not, so connections
    without a request are not waited for as long. Envoy tells nobody when its last request ends, so
    it is polled, and more than once: a connection may be in the kernel's queue.

    Returns whether no connection is left.
    """
    loop = asyncio.get_running_loop()
    connections_until = loop.time() + _CONNECTIONS_LIMIT
    active: dict[str, int] = {}

    async def reason() -> str:
        nonlocal active
        active = await envoy.stats(_ACTIVE)
        requests_only = loop.time() > connections_until
        busy = [n for n, v in active.items() if v and not (requests_only and "_cx_" in n)]
        return f"{busy[0]} is {active[busy[0]]}" if busy else ""

    try:
        await until_async(
            reason,
            f"waiting for {envoy.node} to be idle",
            within=_REQUESTS_LIMIT,
            in_a_row=_IDLE_IN_A_ROW,
        )
    except MeshproofError:
        return False
    return not any(active.values())


async def close_connections_to_app(client: EnvoyClient) -> None:
    """Have an Envoy without downstream connections close its idle ones to its app. An app that is
    told to end may wait for one more request on each of them: gunicorn does, for 2 s."""
    clusters = client.desired[codec.CLUSTERS]
    client.set(codec.CLUSTERS, {n: e for n, e in clusters.items() if not is_inbound(n)})
    with contextlib.suppress(NackError):  # it keeps them, and the app ends a little later
        await client.wait_acknowledged(codec.CLUSTERS)
