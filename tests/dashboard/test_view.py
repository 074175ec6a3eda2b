"""The page's one object: what is in force, what happened, and what JSON can carry."""

from __future__ import annotations

import json
import math
from typing import Any

from meshproof.dashboard.history import History
from meshproof.dashboard.view import EVENTS, build_view, json_safe, not_running_view
from meshproof.telemetry.traffic_counts import read
from tests.fakes.mesh_texts import GATEWAY, HOST, REPLICAS, SERVING, TOPOLOGY, requests


def event(number: int, error: Any = None) -> dict[str, Any]:
    acks = [{"sidecar": s, "version": "1", "seconds": t} for s, t in (("a", 0.1), ("b", 0.3))]
    return {
        "number": number,
        "verb": "apply",
        "subject": "a.yaml",
        "at": 100.0,
        "seconds": 0.5,
        "resources": [],
        "acks": [] if error else acks,
        "sidecars": 2,
        "warnings": [],
        "error": error,
    }


STATUS = {
    "name": "shop",
    "kind": "embedded",
    "version": "7",
    "replicas": REPLICAS,
    "resources": ["Namespace payments", "Service payments/svca", "VirtualService payments/svcb"],
}


def record(*texts: str) -> History:
    history = History()
    for n, text in enumerate(texts):
        history.add(1000.0 + n, read(text), SERVING)
    return history


def test_before_any_traffic() -> None:
    result = build_view(STATUS, TOPOLOGY, record(""), [], [])
    assert (result["traffic"], result["point"], result["state"]) == (False, None, "live")
    assert result["entry"] == {"rate": 0.0, "failed": 0.0, "p50": None, "p99": None}
    assert result["rules"] == ["VirtualService payments/svcb"]


def test_the_entry_is_what_the_gateway_sees() -> None:
    entry = requests(90, GATEWAY, "payments/svca") + requests(10, GATEWAY, "payments/svca",
                                                              code="503")  # fmt: skip
    result = build_view(STATUS, TOPOLOGY, record("", entry + requests(5000)), [], [])
    assert (result["entry"]["rate"], result["entry"]["failed"]) == (100, 10)


def test_what_was_set_is_noted_in_the_point() -> None:
    result = build_view(STATUS, TOPOLOGY, record("", requests(1)), [], [])
    assert result["point"]["set"] == {HOST: {"v0.1": 90}}


def test_events_are_newest_first_with_the_slowest_sidecar() -> None:
    result = build_view(STATUS, {}, record(""), [], [event(1), event(2, {"error": "Refused"})])[
        "events"
    ]
    assert [e["number"] for e in result] == [2, 1]
    assert (result[0]["slowest"], result[0]["error"]) == (None, {"error": "Refused"})
    assert (result[1]["slowest"]["sidecar"], result[1]["live"]) == ("b", 100.5)
    assert "acks" not in result[1]


def test_events_are_bounded() -> None:
    result = build_view(STATUS, {}, record(""), [], [event(n) for n in range(1, 300)])["events"]
    assert (len(result), result[0]["number"]) == (EVENTS, 299)


def test_a_mesh_that_is_gone_keeps_what_happened() -> None:
    result = not_running_view("shop", "no mesh named shop is running", [event(1)])
    assert (result["state"], result["mesh"], len(result["events"])) == ("gone", {"name": "shop"}, 1)


def test_what_json_cannot_carry_is_left_open() -> None:
    safe = json_safe({"a": [math.inf, math.nan, 1.5], "b": (math.inf,)})
    assert json.dumps(safe, allow_nan=False) == '{"a": [null, null, 1.5], "b": [null]}'
