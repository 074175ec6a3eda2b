"""Brings a new configuration to every Envoy that it affects, without a failed request.

Make before break: (1) clusters, old and new together, acknowledged; (2) endpoints of every new or
replaced cluster, acknowledged: only then is it warm; (3) secrets, listeners and routes. Clusters
that no route names any more go later, by ``prune``: a request that has chosen one may still retry.
Clusters that routes name although they are to go, go at once: what a rule sends to a missing subset
is 503 as soon as the change is live, not when the old cluster is pruned.

All or nothing: when one Envoy refuses or stays silent, every Envoy is put back.
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
from meshproof.xds.envoy_client import EnvoyClient, NackError, Resources

SILENCE = 60.0
"""Seconds that a connected Envoy may take to acknowledge before the change is undone."""
_PRUNED = (codec.CLUSTERS, codec.ENDPOINTS)
"""Types of which an Envoy may have more than it should, until ``prune``."""


@dataclass(frozen=True)
class Snapshot:
    """What one Envoy should have, by type URL."""

    resources: Mapping[str, Resources] = field(default_factory=dict)

    def of(self, type_url: str) -> Resources:
        return self.resources.get(type_url, {})


Plan = Mapping[str, tuple[EnvoyClient, Snapshot]]
"""By node: an Envoy, and what it should have."""


async def roll_out(plan: Plan, started: float) -> list[Ack]:
    """Make ``plan`` live; ``started`` is the change's start on the monotonic clock.

    Returns one Ack for every Envoy that something changed for and that acknowledged it. One that is
    being restarted acknowledges nothing, and takes everything when it comes back. Raises NotLive
    after putting every Envoy back.
    """
    previous = {node: Snapshot(dict(client.desired)) for node, (client, _) in plan.items()}
    affected = {
        node: (client, snapshot)
        for node, (client, snapshot) in plan.items()
        if _differs(client, snapshot)
    }
    pending = set(affected)
    acks: dict[str, Ack] = {}

    async def roll_out_to(node: str) -> None:
        client, snapshot = affected[node]
        ack = await _roll_out_to(client, snapshot, started)
        pending.discard(node)
        if client.responsive:
            acks[node] = ack

    try:
        async with asyncio.timeout(SILENCE):
            await run_all(roll_out_to(node) for node in affected)
    except (NackError, TimeoutError) as error:
        await _restore_all(affected, previous)
        if isinstance(error, NackError):
            raise NotLive(f"{error}; every sidecar was put back to what it had") from None
        raise NotLive(
            f"no acknowledgement within {SILENCE:g} s from {', '.join(sorted(pending))}; every "
            "sidecar was put back to what it had; see `meshproof logs` and `meshproof dump`"
        ) from None
    except asyncio.CancelledError:
        for node, (client, _) in affected.items():
            _restore(client, previous[node])
        raise
    return [acks[node] for node in affected if node in acks]


def _differs(client: EnvoyClient, new: Snapshot) -> bool:
    """An Envoy may have more clusters and endpoints than it should (not yet pruned), but no more
    of anything else."""
    exact = (codec.SECRETS, codec.LISTENERS, codec.ROUTES)
    return (
        any(_changed(client.desired[t], new.of(t)) for t in codec.TYPES)
        or any(_removes(client, t, new) for t in exact)
        or bool(_dangling_clusters(client, new))
    )


def _changed(current: Resources, new: Resources) -> list[str]:
    """Names of resources that are added or replaced."""
    if current is new:  # as for nearly all that a hundred sidecars have
        return []
    return [n for n, e in new.items() if n not in current or current[n].digest != e.digest]


async def _roll_out_to(client: EnvoyClient, new: Snapshot, started: float) -> Ack:
    client.nack = None
    clusters = _changed(client.desired[codec.CLUSTERS], new.of(codec.CLUSTERS))
    warming = [n for n in clusters if n in new.of(codec.ENDPOINTS)]
    replaced = [n for n in warming if n in client.desired[codec.CLUSTERS]]
    endpoints = {*warming, *_changed(client.desired[codec.ENDPOINTS], new.of(codec.ENDPOINTS))}
    client.desired[codec.ENDPOINTS] = _union(client, codec.ENDPOINTS, new)
    if clusters:
        client.set(codec.CLUSTERS, _union(client, codec.CLUSTERS, new))
    if endpoints:
        # At once: Envoy holds back the ACK of its clusters until every replaced one is warm.
        client.set(codec.ENDPOINTS, client.desired[codec.ENDPOINTS], resend=replaced)
        await client.wait_acknowledged(codec.ENDPOINTS, endpoints)
    if clusters:
        await client.wait_acknowledged(codec.CLUSTERS)
    for type_url in (codec.SECRETS, codec.LISTENERS, codec.ROUTES):
        if type_url == codec.LISTENERS:
            # A new listener asks for its routes before it warms: they must be in place by then.
            client.desired[codec.ROUTES] = _union(client, codec.ROUTES, new)
        changed = _changed(client.desired[type_url], new.of(type_url))
        if type_url == codec.ROUTES or changed or _removes(client, type_url, new):
            client.set(type_url, new.of(type_url))
            await client.wait_acknowledged(type_url, changed if type_url == codec.SECRETS else None)
    if dangling := _dangling_clusters(client, new):
        current = client.desired[codec.CLUSTERS]
        client.set(codec.CLUSTERS, {n: e for n, e in current.items() if n not in dangling})
        await client.wait_acknowledged(codec.CLUSTERS)
    return Ack(client.node, client.version(), time.monotonic() - started)


def _removes(client: EnvoyClient, type_url: str, new: Snapshot) -> bool:
    """Whether ``new`` lacks a resource that the Envoy has."""
    current, desired = client.desired[type_url], new.of(type_url)
    return current is not desired and any(n not in desired for n in current)


def _dangling_clusters(client: EnvoyClient, new: Snapshot) -> set[str]:
    """Clusters that the Envoy has and ``new`` lacks, although routes or TCP proxies of ``new`` name
    them: those of a subset whose DestinationRule is deleted."""
    if not _removes(client, codec.CLUSTERS, new):
        return set()
    users = [e.data for t in (codec.ROUTES, codec.LISTENERS) for e in new.of(t).values()]
    removed = (n for n in client.desired[codec.CLUSTERS] if n not in new.of(codec.CLUSTERS))
    return {name for name in removed if any(name.encode() in data for data in users)}


def _union(client: EnvoyClient, type_url: str, new: Snapshot) -> Resources:
    """What the Envoy has and what ``new`` has; ``new`` wins."""
    desired = new.of(type_url)
    if not _removes(client, type_url, new):
        return desired
    return {**client.desired[type_url], **desired}


async def _restore_all(plan: Plan, previous: Mapping[str, Snapshot]) -> None:
    """Best effort by nature: an Envoy that answers nothing cannot confirm that it is back."""

    async def restore(client: EnvoyClient, snapshot: Snapshot) -> None:
        _restore(client, snapshot)
        for type_url in (codec.ROUTES, codec.LISTENERS, codec.CLUSTERS):
            await client.wait_acknowledged(type_url)

    restored = (restore(client, previous[node]) for node, (client, _) in plan.items())
    try:
        async with asyncio.timeout(SILENCE):
            await asyncio.gather(*restored, return_exceptions=True)
    except TimeoutError:
        return


def _restore(client: EnvoyClient, previous: Snapshot) -> None:
    """Routes first, so that none names what is removed next. A cluster that is replaced once more
    warms only when its endpoints are sent again."""
    client.nack = None
    replaced = _changed(client.desired[codec.CLUSTERS], previous.of(codec.CLUSTERS))
    for type_url in (
        codec.ROUTES,
        codec.LISTENERS,
        codec.CLUSTERS,
        codec.ENDPOINTS,
        codec.SECRETS,
    ):
        resend = replaced if type_url == codec.ENDPOINTS else ()
        client.set(type_url, previous.of(type_url), resend=resend)


def needs_pruning(client: EnvoyClient, snapshot: Snapshot) -> bool:
    """Whether ``prune`` has something to remove."""
    return any(_removes(client, type_url, snapshot) for type_url in _PRUNED)


def prune(client: EnvoyClient, snapshot: Snapshot) -> None:
    """Remove clusters and endpoints that ``snapshot`` does not have."""
    for type_url in _PRUNED:
        if _removes(client, type_url, snapshot):
            current, desired = client.desired[type_url], snapshot.of(type_url)
            client.set(type_url, {n: e for n, e in current.items() if n in desired})
