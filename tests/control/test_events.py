"""What happened is remembered: taken and refused changes alike, bounded, each with a number."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from meshproof.control.client import Client
from meshproof.control.events import ChangeRequest, EventLog
from meshproof.errors import NotLive, Refused, UsageError
from meshproof.mesh import Ack, Applied
from tests.fakes.mesh import FakeMesh


def test_every_change_leaves_its_evidence(client: Client) -> None:
    client.apply([("a.yaml", "A")], "", False)
    client.scale("svca", 3)
    client.fault("latency", "svca", ms=50)
    client.delete([("a.yaml", "A"), ("b.yaml", "B")], "")
    client.reset()
    result = [(e["number"], e["verb"], e["subject"]) for e in client.events()]
    assert result == [
        (1, "up", ""),
        (2, "apply", "a.yaml"),
        (3, "scale", "svca=3"),
        (4, "fault", "latency svca ms=50"),
        (5, "delete", "a.yaml, b.yaml"),
        (6, "reset", ""),
    ]
    applied = client.events()[1]
    assert applied["resources"] == ["File a.yaml created"]
    assert applied["seconds"] == 0.005
    assert applied["acks"] == [{"sidecar": "svca-1", "version": "2", "seconds": 0.004}]
    assert (applied["sidecars"], applied["error"]) == (1, None)


def test_a_refused_change_is_remembered_with_its_message(client: Client) -> None:
    with pytest.raises(Refused):
        client.apply([("a.yaml", "refuse")], "", False)
    with pytest.raises(NotLive):
        client.apply([("b.yaml", "stuck")], "", False)
    refused, stuck = client.events(since=1)
    assert refused["error"]["error"] == "Refused"
    assert "a.yaml:3" in refused["error"]["message"]
    assert (refused["resources"], refused["acks"]) == ([], [])
    assert stuck["error"]["message"] == "svca-1 stayed silent"


def test_only_what_is_newer_is_given(client: Client) -> None:
    client.scale("svca", 1)
    assert [e["number"] for e in client.events(since=1)] == [2]
    assert client.events(since=2) == []


def test_a_number_is_wanted(client: Client) -> None:
    with pytest.raises(UsageError, match="wanted the number of an event"):
        client.events(since=-1)


def test_a_mesh_that_cannot_be_watched_says_so_by_empty_answers(
    fake: FakeMesh, client: Client
) -> None:
    assert (client.topology(), client.usage()) == ({}, [])
    assert client.requests() == fake.metrics()


async def _done(result: Any) -> Any:
    return result


def test_the_oldest_go_first_and_numbers_go_on() -> None:
    async def run() -> list[int]:
        events = EventLog(capacity=3)
        for _ in range(5):
            await events.record(ChangeRequest("reset", ""), _done(Applied((), (), 0.1)))
        return [event.number for event in events.since(0)]

    assert asyncio.run(run()) == [3, 4, 5]


def test_of_many_acknowledgements_the_slowest_are_kept() -> None:
    async def run() -> dict[str, Any]:
        acks = tuple(Ack(f"s{i}", "1", i / 1000) for i in range(1000))
        events = EventLog()
        await events.record(ChangeRequest("reset", ""), _done(Applied((), acks, 1.0)))
        return events.since(0)[0].as_dict()

    result = asyncio.run(run())
    assert result["sidecars"] == 1000
    assert len(result["acks"]) == 200
    assert result["acks"][0]["sidecar"] == "s999"


def test_when_it_was_asked_for_is_before_it_was_live() -> None:
    async def run() -> tuple[float, float]:
        events = EventLog(clock=lambda: 100.0)
        events.record_start(Applied((), (), 1.5))
        await events.record(ChangeRequest("reset", ""), _done(Applied((), (), 0.1)))
        up, reset = events.since(0)
        return up.at, reset.at

    assert asyncio.run(run()) == (98.5, 100.0)
