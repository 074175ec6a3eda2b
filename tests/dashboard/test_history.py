"""Points over time, and windows of counts; bounded."""

from __future__ import annotations

import pytest

from meshproof.dashboard.history import History
from meshproof.telemetry.traffic_counts import read
from tests.fakes.mesh_texts import GATEWAY, HOST, SERVING, requests


def text(n: int) -> str:
    """After n seconds: 100 a second come in, 80 go to v0.1 and 20 to v0.2."""
    entry = requests(
        100 * n, GATEWAY, "payments/svca", service="svca", buckets={"10": 100 * n, "+Inf": 100 * n}
    )
    return entry + requests(80 * n) + requests(20 * n, target="payments/svcb-v0.2", version="v0.2")


def build_history(seconds: int, capacity: int = 900) -> History:
    history = History(capacity)
    for n in range(seconds + 1):
        history.add(1000.0 + n, read(text(n)), SERVING)
    return history


def test_a_point_has_rate_durations_and_split() -> None:
    point = build_history(5).points[-1]
    assert (point["at"], point["rate"], point["failed"]) == (1005, 100, 0)
    assert (point["p50"], round(point["p99"], 9)) == (5, 9.9)
    assert point["split"] == {HOST: {"v0.1": 240, "v0.2": 60}}  # of three seconds


def test_one_reading_makes_no_point() -> None:
    history = build_history(0)
    assert (list(history.points), history.window()) == ([], ({}, 0.0))


def test_a_window_is_of_the_last_seconds() -> None:
    counts, seconds = build_history(60).window(10)
    assert seconds == 10
    assert sum(c.requests for e, c in counts.items() if e.source == GATEWAY) == 1000


def test_ever_is_since_the_proxies_start() -> None:
    totals = build_history(60).totals()
    assert sum(c.requests for e, c in totals.items() if e.source == GATEWAY) == 6000


def test_what_is_kept_is_bounded() -> None:
    history = build_history(200, capacity=50)
    assert len(history.points) == 50
    assert len(history._readings) < 15


def test_a_long_pause_between_readings_does_not_break_it() -> None:
    history = History()
    history.add(1000, read(text(0)), SERVING)
    history.add(1100, read(text(100)), SERVING)
    assert history.points[-1]["rate"] == pytest.approx(100)


def test_a_silent_service_is_not_drawn() -> None:
    history = History()
    history.add(1000, read(text(3)), SERVING)
    history.add(1001, read(text(3)), SERVING)
    assert history.points[-1]["split"] == {}
