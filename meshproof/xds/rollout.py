"""Brings a new configuration to every sidecar that it concerns, without a failed request.

Make before break: (1) clusters, old and new together, acknowledged; (2) endpoints of every new or
replaced cluster, acknowledged: only then is it warm; (3) secrets, listeners and routes. Clusters
that nothing names any more go later, by ``prune``: a request that has chosen one may still retry.
Those that are gone though routes name them go at once: what a rule leads to nowhere is 503 as soon
as the change is live, not when the cluster of before is forgotten.

All or nothing: when one Envoy refuses or stays silent, every sidecar is put back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from meshproof.errors import NotLive
from meshproof.host.event_loop import run_all
from meshproof.mesh import Ack
from meshproof.xds import codec
from meshproof.xds.server import EnvoyClient, NackError, Resources

SILENCE = 15.0
"""Seconds that a connected sidecar may take to acknowledge before the change is undone."""


@dataclass(frozen=True)
class Snapshot:
    """What one sidecar should have, by type URL."""

    resources: Mapping[str, Resources] = field(default_factory=dict)

    def of(self, type_url: str) -> Resources:
        return self.resources.get(type_url, {})


async def roll_out(plan: Mapping[str, tuple[EnvoyClient, Snapshot]], started: float) -> list[Ack]:
    """Make ``plan`` (by node) live; ``started`` is the change's start on the monotonic clock.

    Returns one Ack for every sidecar that something changed for and that said so: one that is
    starting again acknowledges nothing, and takes everything when it comes back. Raises NotLive
    after putting every sidecar back.
    """
    before = {node: Snapshot(dict(sidecar.want)) for node, (sidecar, _new) in plan.items()}
    concerned = {
        node: (sidecar, new) for node, (sidecar, new) in plan.items() if _differs(sidecar, new)
    }
    waiting = set(concerned)
    acks: dict[str, Ack] = {}

    async def one(node: str) -> None:
        sidecar, new = concerned[node]
        ack = await _one(sidecar, new, started)
        waiting.discard(node)
        if sidecar.answers:
            acks[node] = ack

    try:
        async with asyncio.timeout(SILENCE):
            await run_all(one(node) for node in concerned)
    except (NackError, TimeoutError) as error:
        await _restore(concerned, before)
        if isinstance(error, NackError):
            raise NotLive(f"{error}; every sidecar was put back to what it had") from None
        raise NotLive(
            f"no acknowledgement within {SILENCE:g} s from {', '.join(sorted(waiting))}; every "
            "sidecar was put back to what it had; see `meshproof logs` and `meshproof dump`"
        ) from None
    except asyncio.CancelledError:
        for node, (sidecar, _new) in concerned.items():
            _put_back(sidecar, before[node])
        raise
    return [acks[node] for node in concerned if node in acks]


def _differs(sidecar: EnvoyClient, new: Snapshot) -> bool:
    """Clusters and endpoints may be more than are wanted (not yet pruned); nothing else may."""
    return (
        any(_changed(sidecar.want[t], new.of(t)) for t in codec.TYPES)
        or any(_gone(sidecar, t, new) for t in (codec.SECRETS, codec.LISTENERS, codec.ROUTES))
        or bool(_dangling(sidecar, new))
    )


def _changed(have: Resources, want: Resources) -> list[str]:
    if have is want:  # so it is for nearly all of what a hundred sidecars have
        return []
    return [n for n, e in want.items() if n not in have or have[n].digest != e.digest]


async def _one(sidecar: EnvoyClient, new: Snapshot, started: float) -> Ack:
    sidecar.nack = None
    clusters = _changed(sidecar.want[codec.CLUSTERS], new.of(codec.CLUSTERS))
    warm = [n for n in clusters if n in new.of(codec.ENDPOINTS)]
    replaced = [n for n in warm if n in sidecar.want[codec.CLUSTERS]]
    endpoints = set(warm) | set(_changed(sidecar.want[codec.ENDPOINTS], new.of(codec.ENDPOINTS)))
    sidecar.want[codec.ENDPOINTS] = _union(sidecar, codec.ENDPOINTS, new)
    if clusters:
        sidecar.set(codec.CLUSTERS, _union(sidecar, codec.CLUSTERS, new))
    if endpoints:
        # At once: Envoy holds back the ACK of its clusters until every replaced one is warm.
        sidecar.set(codec.ENDPOINTS, sidecar.want[codec.ENDPOINTS], resend=replaced)
        await sidecar.settled(codec.ENDPOINTS, endpoints)
    if clusters:
        await sidecar.settled(codec.CLUSTERS)
    for type_url in (codec.SECRETS, codec.LISTENERS, codec.ROUTES):
        if type_url == codec.LISTENERS:
            # A listener's routes must be there when it asks for them, before it warms.
            sidecar.want[codec.ROUTES] = _union(sidecar, codec.ROUTES, new)
        changed = _changed(sidecar.want[type_url], new.of(type_url))
        if type_url == codec.ROUTES or changed or _gone(sidecar, type_url, new):
            sidecar.set(type_url, new.of(type_url))
            await sidecar.settled(type_url, changed if type_url == codec.SECRETS else None)
    if dangling := _dangling(sidecar, new):
        have = sidecar.want[codec.CLUSTERS]
        sidecar.set(codec.CLUSTERS, {n: e for n, e in have.items() if n not in dangling})
        await sidecar.settled(codec.CLUSTERS)
    return Ack(sidecar.node, sidecar.version(), time.monotonic() - started)


def _gone(sidecar: EnvoyClient, type_url: str, new: Snapshot) -> bool:
    have, want = sidecar.want[type_url], new.of(type_url)
    return have is not want and any(n not in want for n in have)


def _dangling(sidecar: EnvoyClient, new: Snapshot) -> set[str]:
    """Clusters that the sidecar still has, ``new`` has not, and routes of ``new`` name all the
    same: those of a subset whose DestinationRule is gone."""
    if not _gone(sidecar, codec.CLUSTERS, new):
        return set()
    routes = [encoded.data for encoded in new.of(codec.ROUTES).values()]
    over = (n for n in sidecar.want[codec.CLUSTERS] if n not in new.of(codec.CLUSTERS))
    return {name for name in over if any(name.encode() in data for data in routes)}


def _union(sidecar: EnvoyClient, type_url: str, new: Snapshot) -> Resources:
    want = new.of(type_url)
    if not _gone(sidecar, type_url, new):
        return want
    return {**sidecar.want[type_url], **want}


async def _restore(
    plan: Mapping[str, tuple[EnvoyClient, Snapshot]], before: Mapping[str, Snapshot]
) -> None:
    """Best effort by nature: an Envoy that answers nothing cannot be asked whether it is back."""

    async def back(sidecar: EnvoyClient, old: Snapshot) -> None:
        _put_back(sidecar, old)
        for type_url in (codec.ROUTES, codec.LISTENERS, codec.CLUSTERS):
            await sidecar.settled(type_url)

    restored = (back(sidecar, before[node]) for node, (sidecar, _new) in plan.items())
    try:
        async with asyncio.timeout(SILENCE):
            await asyncio.gather(*restored, return_exceptions=True)
    except TimeoutError:
        return


def _put_back(sidecar: EnvoyClient, old: Snapshot) -> None:
    """Routes first: then nothing names what goes. A cluster that is replaced once more warms
    only when its endpoints are sent again."""
    sidecar.nack = None
    replaced = _changed(sidecar.want[codec.CLUSTERS], old.of(codec.CLUSTERS))
    for type_url in (
        codec.ROUTES,
        codec.LISTENERS,
        codec.CLUSTERS,
        codec.ENDPOINTS,
        codec.SECRETS,
    ):
        resend = replaced if type_url == codec.ENDPOINTS else ()
        sidecar.set(type_url, old.of(type_url), resend=resend)


_LINGERING = (codec.CLUSTERS, codec.ENDPOINTS)


def lingers(sidecar: EnvoyClient, new: Snapshot) -> bool:
    """Whether ``prune`` has something to forget."""
    return any(_gone(sidecar, type_url, new) for type_url in _LINGERING)


def prune(sidecar: EnvoyClient, new: Snapshot) -> None:
    """Forget clusters and endpoints that ``new`` does not have."""
    for type_url in _LINGERING:
        if _gone(sidecar, type_url, new):
            sidecar.set(
                type_url, {n: e for n, e in sidecar.want[type_url].items() if n in new.of(type_url)}
            )
