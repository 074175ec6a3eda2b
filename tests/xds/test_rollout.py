"""A change reaches every sidecar in an order that loses no request, or none at all."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest

from meshproof.errors import NotLive
from meshproof.xds import codec, rollout
from meshproof.xds.envoy_client import EnvoyClient
from meshproof.xds.rollout import Snapshot, needs_pruning, prune, roll_out
from tests.fakes.envoy import FakeEnvoy, cluster, endpoints, route, tcp_listener

OLD = Snapshot(
    {
        codec.CLUSTERS: {"old": cluster("old")},
        codec.ENDPOINTS: {"old": endpoints("old", 1)},
        codec.ROUTES: {"r": route("r", "old")},
    }
)
NEW = Snapshot(
    {
        codec.CLUSTERS: {"new": cluster("new")},
        codec.ENDPOINTS: {"new": endpoints("new", 2)},
        codec.ROUTES: {"r": route("r", "new")},
    }
)


@contextlib.asynccontextmanager
async def running(*nodes: str) -> AsyncIterator[list[FakeEnvoy]]:
    """Envoys that have taken OLD; they ask for the endpoints of every cluster they hear of."""
    envoys = []
    for node in nodes:
        envoy = FakeEnvoy(EnvoyClient(node))
        for type_url, resources in OLD.resources.items():
            envoy.client.set(type_url, resources)
        envoy.connect()
        envoy.subscribe(codec.CLUSTERS)
        envoy.subscribe(codec.ENDPOINTS, "old")
        envoy.subscribe(codec.ROUTES, "r")
        envoys.append(envoy)
    tasks = [asyncio.create_task(work) for e in envoys for work in (e.serve(), follow(e))]
    for envoy in envoys:
        for type_url in (codec.CLUSTERS, codec.ENDPOINTS, codec.ROUTES):
            await envoy.client.wait_acknowledged(type_url)
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
        clusters = [names for type_url, names in envoy.order if type_url == codec.CLUSTERS]
        if clusters and tuple(clusters[-1]) != envoy.names[codec.ENDPOINTS]:
            envoy.subscribe(codec.ENDPOINTS, *clusters[-1])


def plan(envoys: list[FakeEnvoy], new: Snapshot) -> dict[str, tuple[EnvoyClient, Snapshot]]:
    return {e.client.node: (e.client, new) for e in envoys}


def test_clusters_then_endpoints_then_routes_and_nothing_is_taken_away() -> None:
    async def scenario() -> None:
        async with running("a") as envoys:
            acks = await roll_out(plan(envoys, NEW), time.monotonic())
            assert [a.sidecar for a in acks] == ["a"]
            kinds = [t for t, _ in envoys[0].order]
            assert kinds == [codec.CLUSTERS, codec.ENDPOINTS, codec.ROUTES]
            assert sorted(envoys[0].order[0][1]) == ["new", "old"]
            assert needs_pruning(envoys[0].client, NEW)
            prune(envoys[0].client, NEW)
            assert not needs_pruning(envoys[0].client, NEW)
            await envoys[0].client.wait_acknowledged(codec.CLUSTERS)
            assert (codec.CLUSTERS, ["new"]) in envoys[0].order

    asyncio.run(scenario())


def test_a_replaced_cluster_gets_its_endpoints_again() -> None:
    changed = Snapshot({**OLD.resources, codec.CLUSTERS: {"old": cluster("old", "9s")}})

    async def scenario() -> None:
        async with running("a") as envoys:
            envoys[0].warming = True
            await roll_out(plan(envoys, changed), time.monotonic())
            assert envoys[0].order == [(codec.CLUSTERS, ["old"]), (codec.ENDPOINTS, ["old"])]

    asyncio.run(scenario())


@pytest.mark.parametrize("routes", [OLD.of(codec.ROUTES), {"r": route("r", "old", "2s")}])
def test_a_cluster_that_is_gone_though_routes_name_it_goes_at_once(
    routes: dict[str, codec.Encoded],
) -> None:
    """Whether the routes are those of before, or new ones that name it again."""
    new = Snapshot({**NEW.resources, codec.ROUTES: routes})

    async def scenario() -> None:
        async with running("a") as envoys:
            await roll_out(plan(envoys, new), time.monotonic())
            sent_names = [
                names for type_url, names in envoys[0].order if type_url == codec.CLUSTERS
            ]
            assert [sorted(names) for names in sent_names] == [["new", "old"], ["new"]]
            assert envoys[0].order[-1] == (codec.CLUSTERS, ["new"])

    asyncio.run(scenario())


def test_so_does_one_that_a_tcp_listener_names() -> None:
    new = Snapshot({**NEW.resources, codec.LISTENERS: {"db": tcp_listener("db", "old")}})

    async def scenario() -> None:
        async with running("a") as envoys:
            envoys[0].subscribe(codec.LISTENERS)
            await roll_out(plan(envoys, new), time.monotonic())
            assert envoys[0].order[-1] == (codec.CLUSTERS, ["new"])

    asyncio.run(scenario())


def test_a_sidecar_that_nothing_changes_for_is_not_concerned() -> None:
    async def scenario() -> None:
        async with running("a", "b") as envoys:
            mixed = {"a": (envoys[0].client, NEW), "b": (envoys[1].client, OLD)}
            acks = await roll_out(mixed, time.monotonic())
            assert [a.sidecar for a in acks] == ["a"]
            assert envoys[1].order == []

    asyncio.run(scenario())


def test_a_refusal_by_one_puts_every_sidecar_back() -> None:
    async def scenario() -> None:
        async with running("a", "b") as envoys:
            refused: list[str] = []

            def once(type_url: str, _names: list[str]) -> str:
                if type_url == codec.ROUTES and not refused:
                    refused.append(type_url)
                    return "bad"
                return ""

            envoys[1].refuse = once
            with pytest.raises(NotLive, match="b refused RouteConfiguration: bad"):
                await roll_out(plan(envoys, NEW), time.monotonic())
            for envoy in envoys:
                assert envoy.client.desired[codec.ROUTES] == OLD.of(codec.ROUTES)
                assert envoy.client.desired[codec.CLUSTERS] == OLD.of(codec.CLUSTERS)
                await envoy.client.wait_acknowledged(codec.ROUTES)
                await envoy.client.wait_acknowledged(codec.CLUSTERS)

    asyncio.run(scenario())


def test_silence_is_named_and_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "SILENCE", 0.05)

    async def scenario() -> None:
        async with running("a", "b") as envoys:
            envoys[0].silent = True
            with pytest.raises(NotLive, match="no acknowledgement"):
                await roll_out(plan(envoys, NEW), time.monotonic())
            assert envoys[1].client.desired[codec.ROUTES] == OLD.of(codec.ROUTES)

    asyncio.run(scenario())


def refuse_once(type_url: str, text: str) -> Callable[[str, list[str]], str]:
    refused: list[str] = []

    def refuse(kind: str, _names: list[str]) -> str:
        if kind != type_url or refused:
            return ""
        refused.append(kind)
        return text

    return refuse


def test_a_slow_sidecar_stays_put_back_after_another_has_refused() -> None:
    """Its own part of the change must not run on behind the refusal."""

    async def scenario() -> None:
        async with running("quick", "slow") as (quick, slow):
            quick.refuse = refuse_once(codec.CLUSTERS, "bad")
            slow.silent = True
            change = asyncio.create_task(roll_out(plan([quick, slow], NEW), time.monotonic()))
            while quick.client.nack is None:
                await asyncio.sleep(0)
            while slow.client.desired[codec.CLUSTERS] != OLD.of(codec.CLUSTERS):
                await asyncio.sleep(0)
            slow.silent = False
            with pytest.raises(NotLive, match="quick refused Cluster: bad"):
                await change
            for _ in range(100):  # room for whatever might still run
                await asyncio.sleep(0)
            for type_url in (codec.CLUSTERS, codec.ENDPOINTS, codec.ROUTES):
                await slow.client.wait_acknowledged(type_url)
                assert slow.client.desired[type_url] == OLD.of(type_url)
            sent = [names for type_url, names in slow.order if type_url == codec.ROUTES]
            assert sent == [], "routes never changed, so none were to be sent"

    asyncio.run(scenario())


def test_a_replaced_cluster_that_is_put_back_gets_its_endpoints_again() -> None:
    changed = Snapshot(
        {
            **OLD.resources,
            codec.CLUSTERS: {"old": cluster("old", "9s")},
            codec.ROUTES: {"r": route("other", "old")},
        }
    )

    async def scenario() -> None:
        async with running("a") as envoys:
            envoys[0].refuse = refuse_once(codec.ROUTES, "bad")
            with pytest.raises(NotLive):
                await roll_out(plan(envoys, changed), time.monotonic())
            await envoys[0].client.wait_acknowledged(codec.ENDPOINTS)
            assert envoys[0].order[-2:] == [(codec.CLUSTERS, ["old"]), (codec.ENDPOINTS, ["old"])]

    asyncio.run(scenario())


def test_what_is_only_taken_away_is_rolled_out_too() -> None:
    fewer = Snapshot({k: v for k, v in OLD.resources.items() if k != codec.ROUTES})

    async def scenario() -> None:
        async with running("a") as envoys:
            acks = await roll_out(plan(envoys, fewer), time.monotonic())
            assert [a.sidecar for a in acks] == ["a"]
            assert envoys[0].client.desired[codec.ROUTES] == {}

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["ended", "paused"])
def test_a_sidecar_that_cannot_answer_is_no_witness_and_no_obstacle(how: str) -> None:
    async def scenario() -> None:
        async with running("there", "away") as (there, away):
            away.silent = True
            if how == "ended":
                away.client.detach(away.out)
            else:
                away.client.pause()
            acks = await roll_out(plan([there, away], NEW), time.monotonic())
            assert [a.sidecar for a in acks] == ["there"]
            assert away.client.desired[codec.ROUTES] == NEW.of(codec.ROUTES)

    asyncio.run(scenario())


def test_a_resumed_sidecar_has_caught_up_once_it_has_acknowledged_all() -> None:
    async def scenario() -> None:
        async with running("a") as (envoy,):
            envoy.silent = True
            envoy.client.pause()
            await roll_out(plan([envoy], NEW), time.monotonic())
            envoy.client.resume()
            caught_up = asyncio.create_task(envoy.client.wait_current())
            for _ in range(20):
                await asyncio.sleep(0)
            assert not caught_up.done()
            envoy.silent = False
            await caught_up
            assert (codec.ROUTES, ["r"]) in envoy.order
            assert (codec.ENDPOINTS, ["new"]) in envoy.order

    asyncio.run(scenario())


def test_a_cancelled_change_is_put_back() -> None:
    async def scenario() -> None:
        async with running("a") as (envoy,):
            envoy.silent = True
            change = asyncio.create_task(roll_out(plan([envoy], NEW), time.monotonic()))
            while envoy.client.desired[codec.CLUSTERS] == OLD.of(codec.CLUSTERS):
                await asyncio.sleep(0)
            change.cancel()
            with pytest.raises(asyncio.CancelledError):
                await change
            for type_url in (codec.CLUSTERS, codec.ENDPOINTS, codec.ROUTES):
                assert envoy.client.desired[type_url] == OLD.of(type_url)

    asyncio.run(scenario())
