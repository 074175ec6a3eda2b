"""A change reaches every sidecar in an order that loses no request, or none at all."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from meshproof.embedded import rollout, xds
from meshproof.embedded.ads import Sidecar
from meshproof.embedded.rollout import Snapshot, prune, roll_out
from meshproof.errors import NotLive
from tests.embedded.fake_envoy import FakeEnvoy, cluster, endpoints, route

OLD = Snapshot(
    {
        xds.CLUSTERS: {"old": cluster("old")},
        xds.ENDPOINTS: {"old": endpoints("old", 1)},
        xds.ROUTES: {"r": route("r", "old")},
    }
)
NEW = Snapshot(
    {
        xds.CLUSTERS: {"new": cluster("new")},
        xds.ENDPOINTS: {"new": endpoints("new", 2)},
        xds.ROUTES: {"r": route("r", "new")},
    }
)


@contextlib.asynccontextmanager
async def running(*nodes: str) -> AsyncIterator[list[FakeEnvoy]]:
    """Envoys that have taken OLD; they ask for the endpoints of every cluster they hear of."""
    envoys = []
    for node in nodes:
        envoy = FakeEnvoy(Sidecar(node))
        for type_url, resources in OLD.resources.items():
            envoy.sidecar.set(type_url, resources)
        envoy.connect()
        envoy.subscribe(xds.CLUSTERS)
        envoy.subscribe(xds.ENDPOINTS, "old")
        envoy.subscribe(xds.ROUTES, "r")
        envoys.append(envoy)
    tasks = [asyncio.create_task(work) for e in envoys for work in (e.serve(), follow(e))]
    for envoy in envoys:
        for type_url in (xds.CLUSTERS, xds.ENDPOINTS, xds.ROUTES):
            await envoy.sidecar.settled(type_url)
        envoy.order.clear()
    try:
        yield envoys
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def follow(envoy: FakeEnvoy) -> None:
    while True:
        await asyncio.sleep(0)
        clusters = [names for type_url, names in envoy.order if type_url == xds.CLUSTERS]
        if clusters and tuple(clusters[-1]) != envoy.names[xds.ENDPOINTS]:
            envoy.subscribe(xds.ENDPOINTS, *clusters[-1])


def plan(envoys: list[FakeEnvoy], new: Snapshot) -> dict[str, tuple[Sidecar, Snapshot]]:
    return {e.sidecar.node: (e.sidecar, new) for e in envoys}


def test_clusters_then_endpoints_then_routes_and_nothing_is_taken_away() -> None:
    async def scenario() -> None:
        async with running("a") as envoys:
            acks = await roll_out(plan(envoys, NEW), time.monotonic())
            assert [a.sidecar for a in acks] == ["a"]
            kinds = [t for t, _ in envoys[0].order]
            assert kinds == [xds.CLUSTERS, xds.ENDPOINTS, xds.ROUTES]
            assert sorted(envoys[0].order[0][1]) == ["new", "old"]
            prune(envoys[0].sidecar, NEW)
            await envoys[0].sidecar.settled(xds.CLUSTERS)
            assert (xds.CLUSTERS, ["new"]) in envoys[0].order

    asyncio.run(scenario())


def test_a_replaced_cluster_gets_its_endpoints_again() -> None:
    changed = Snapshot({**OLD.resources, xds.CLUSTERS: {"old": cluster("old", "9s")}})

    async def scenario() -> None:
        async with running("a") as envoys:
            envoys[0].warming = True
            await roll_out(plan(envoys, changed), time.monotonic())
            assert envoys[0].order == [(xds.CLUSTERS, ["old"]), (xds.ENDPOINTS, ["old"])]

    asyncio.run(scenario())


def test_a_sidecar_that_nothing_changes_for_is_not_concerned() -> None:
    async def scenario() -> None:
        async with running("a", "b") as envoys:
            mixed = {"a": (envoys[0].sidecar, NEW), "b": (envoys[1].sidecar, OLD)}
            acks = await roll_out(mixed, time.monotonic())
            assert [a.sidecar for a in acks] == ["a"]
            assert envoys[1].order == []

    asyncio.run(scenario())


def test_a_refusal_by_one_puts_every_sidecar_back() -> None:
    async def scenario() -> None:
        async with running("a", "b") as envoys:
            refused: list[str] = []

            def once(type_url: str, _names: list[str]) -> str:
                if type_url == xds.ROUTES and not refused:
                    refused.append(type_url)
                    return "bad"
                return ""

            envoys[1].refuse = once
            with pytest.raises(NotLive, match="b refused RouteConfiguration: bad"):
                await roll_out(plan(envoys, NEW), time.monotonic())
            for envoy in envoys:
                assert envoy.sidecar.want[xds.ROUTES] == OLD.of(xds.ROUTES)
                assert envoy.sidecar.want[xds.CLUSTERS] == OLD.of(xds.CLUSTERS)
                await envoy.sidecar.settled(xds.ROUTES)
                await envoy.sidecar.settled(xds.CLUSTERS)

    asyncio.run(scenario())


def test_silence_is_named_and_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "SILENCE", 0.05)

    async def scenario() -> None:
        async with running("a", "b") as envoys:
            envoys[0].silent = True
            with pytest.raises(NotLive, match="no acknowledgement"):
                await roll_out(plan(envoys, NEW), time.monotonic())
            assert envoys[1].sidecar.want[xds.ROUTES] == OLD.of(xds.ROUTES)

    asyncio.run(scenario())
