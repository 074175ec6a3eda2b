"""A change of listeners is live when nothing goes by the old ones any more.

Envoy keeps old filter chains for ``DRAIN_TIME``: it asks the connections on them to close with
their next answer, and closes those that are left at its end. Until then they obey old policy.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.errors import MeshproofError
from meshproof.host.event_loop import run_all
from meshproof.istio_names import is_inbound
from meshproof.xds import codec
from meshproof.xds.server import EnvoyClient, NackError, Resources

_COUNTS = "listener_manager.total_(filter_chains|listeners)_draining"
_LIMIT = 10.0
"""Seconds that a drain may take by far: one that hangs must not hang the change."""


class Draining:
    """Made before a change, asked after it."""

    def __init__(self, envoys: Iterable[EnvoyProcess]) -> None:
        self._before = [(envoy, envoy.sidecar.want[codec.LISTENERS]) for envoy in envoys]

    async def over(self) -> None:
        """Return when every Envoy whose listeners changed has let the old ones go.

        An Envoy that does not answer is not waited for: it has no connections to serve either.
        """
        changed = [
            envoy
            for envoy, before in self._before
            if _replaced(before, envoy.sidecar.want[codec.LISTENERS])
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LIMIT):
                await run_all(_drained(envoy) for envoy in changed)


def _replaced(before: Resources, after: Resources) -> bool:
    """Whether a listener of before is another one now, or gone."""
    return any(n not in after or after[n].digest != e.digest for n, e in before.items())


async def _drained(envoy: EnvoyProcess) -> None:
    with contextlib.suppress(MeshproofError):
        while any((await envoy.stats(_COUNTS)).values()):
            await asyncio.sleep(0.02)  # Envoy tells nobody when a drain ends


async def let_go_of_app(sidecar: EnvoyClient) -> None:
    """Have an Envoy to which nobody is connected close its idle connections to its app. An app
    that is told to end may wait for one more request on each of them: gunicorn does for 2 s."""
    clusters = sidecar.want[codec.CLUSTERS]
    sidecar.set(codec.CLUSTERS, {n: e for n, e in clusters.items() if not is_inbound(n)})
    with contextlib.suppress(NackError):  # it keeps them, and the app ends a little later
        await sidecar.settled(codec.CLUSTERS)
