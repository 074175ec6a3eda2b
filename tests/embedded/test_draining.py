"""A change of listeners is over when the old ones are; of anything else, at once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.embedded.pod.draining import ListenerDrain, close_connections_to_app
from meshproof.errors import MeshproofError
from meshproof.xds import codec
from meshproof.xds.envoy_client import EnvoyClient

OLD, NEW = SimpleNamespace(digest="old"), SimpleNamespace(digest="new")


class Envoy:
    """Answers with one count after the other, and keeps how often it was asked."""

    def __init__(self, *counts: int | MeshproofError) -> None:
        self.node = "svca-1"
        self._counts = list(counts)
        self.asked = 0
        self.client: Any = SimpleNamespace(desired={codec.LISTENERS: {"a": OLD}})

    async def stats(self, _pattern: str) -> dict[str, int]:
        self.asked += 1
        count = self._counts.pop(0)
        if isinstance(count, MeshproofError):
            raise count
        return {"listener_manager.total_filter_chains_draining": count}


def changed(envoy: Envoy, **listeners: Any) -> None:
    """Run a change to these listeners, and wait for its end."""
    envoys: Any = [envoy]
    drain = ListenerDrain(envoys)
    envoy.client.desired = {codec.LISTENERS: listeners}
    asyncio.run(drain.wait())


@pytest.mark.parametrize("listeners", [{"a": NEW}, {}], ids=["replaced", "removed"])
def test_old_listeners_are_waited_for(listeners: dict[str, Any]) -> None:
    envoy = Envoy(2, 1, 0)
    changed(envoy, **listeners)
    assert envoy.asked == 3


@pytest.mark.parametrize("listeners", [{"a": OLD}, {"a": OLD, "b": NEW}], ids=["same", "more"])
def test_nobody_is_asked_where_no_listener_goes(listeners: dict[str, Any]) -> None:
    envoy = Envoy()
    changed(envoy, **listeners)
    assert envoy.asked == 0


class Passing(Envoy):
    """One that also has this gauge of connections, if it is a number."""

    connections: int | None = None

    async def stats(self, pattern: str) -> dict[str, int]:
        gauges = await super().stats(pattern)
        if self.connections is not None:
            gauges["listener.virtualInbound.downstream_cx_active"] = self.connections
        return gauges


@pytest.mark.parametrize(
    ("connections", "listeners", "questions"),
    [
        (0, {"virtualInbound": NEW, "a": OLD}, 1),
        (0, {"virtualInbound": NEW, "a": NEW}, 3),
        (1, {"virtualInbound": NEW, "a": OLD}, 3),
        (None, {"virtualInbound": NEW, "a": OLD}, 3),
    ],
    ids=["idle", "another changed as well", "busy", "unknown"],
)
def test_ports_that_nothing_declares_are_waited_for_where_they_are_used(
    connections: int | None, listeners: dict[str, Any], questions: int
) -> None:
    envoy = Passing(2, 1, 0)
    envoy.connections = connections
    envoy.client.desired[codec.LISTENERS]["virtualInbound"] = OLD
    changed(envoy, **listeners)
    assert envoy.asked == questions


def test_an_envoy_that_does_not_answer_is_not_waited_for() -> None:
    envoy = Envoy(1, MeshproofError("paused"))
    changed(envoy, a=NEW)
    assert envoy.asked == 2


def test_the_app_is_let_go_of_and_its_way_out_is_kept() -> None:
    client = EnvoyClient("a")
    clusters: Any = {"inbound|8080||": OLD, "outbound|80||b.default.svc.cluster.local": OLD}
    client.set(codec.CLUSTERS, clusters)
    asyncio.run(close_connections_to_app(client))
    assert list(client.desired[codec.CLUSTERS]) == ["outbound|80||b.default.svc.cluster.local"]
