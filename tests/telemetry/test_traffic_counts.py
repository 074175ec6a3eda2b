"""Counts: from Prometheus text to who called whom, and how long it took."""

from __future__ import annotations

import re

import pytest

from meshproof.telemetry.traffic_counts import (
    Edge,
    TrafficCounts,
    between,
    read,
    serving,
    sum_counts,
)
from tests.fakes.mesh_texts import HOST, requests

EDGE = Edge("payments/svca", "payments/svcb-v0.1", "v0.1", HOST)


def test_codes_are_summed_and_failures_told() -> None:
    text = requests(90) + requests(6, code="503") + requests(4, code="0") + requests(7, code="404")
    (counts,) = read(text).values()
    assert (counts.requests, counts.failed) == (107, 10)


def test_a_bound_may_stand_anywhere_among_the_labels() -> None:
    last = requests(1, buckets={"10": 1, "+Inf": 1})
    inside = re.sub(r'(reporter="source")(.*)(,le="[^"]*")', r"\1\3\2", last)
    assert inside != last
    assert read(inside) == read(last)


def test_the_callee_s_own_count_is_left_out() -> None:
    assert read(requests(90, reporter="destination")) == {}
    assert read('# TYPE istio_requests_total counter\nother{a="b"} 1\n') == {}


def test_what_is_unknown_is_no_workload() -> None:
    result = {edge for _, edge in read(requests(1, target="unknown/unknown", service="by-address"))}
    assert result == {Edge("payments/svca", "", "v0.1", "by-address")}


def test_only_what_came_between_two_readings_counts() -> None:
    old = read(requests(100, buckets={"10": 100, "+Inf": 100}))
    new = read(requests(130, buckets={"10": 110, "+Inf": 130}))
    result = between(old, new)[EDGE]
    assert result.requests == 30
    assert result.buckets == {10.0: 10, float("inf"): 30}


def test_a_proxy_that_started_again_counts_from_nothing() -> None:
    result = between(read(requests(100)), read(requests(7)))
    assert result[EDGE].requests == 7


def test_pods_of_one_workload_are_one_edge() -> None:
    old = read(requests(5, pod="a") + requests(5, pod="b"))
    new = read(requests(6, pod="a") + requests(9, pod="b") + requests(2, pod="c"))
    assert between(old, new)[EDGE].requests == 1 + 4 + 2


@pytest.mark.parametrize(
    ("buckets", "q", "expected"),
    [
        ({10.0: 50, 20.0: 100, float("inf"): 100}, 0.5, 10.0),
        ({10.0: 50, 20.0: 100, float("inf"): 100}, 0.75, 15.0),
        ({10.0: 0, 20.0: 100, float("inf"): 100}, 0.5, 15.0),
        ({10.0: 50, 20.0: 60, float("inf"): 100}, 0.99, 20.0),  # all that is known: more than 20
        ({10.0: 0, float("inf"): 0}, 0.5, None),
        ({}, 0.5, None),
    ],
)
def test_quantiles_are_linear_inside_a_bucket(
    buckets: dict[float, float], q: float, expected: float | None
) -> None:
    assert TrafficCounts(1, 0, buckets).quantile(q) == expected


def test_who_serves_is_seen_from_the_calls() -> None:
    text = (
        requests(1)
        + requests(1, target="payments/svcb-v0.2")
        + requests(1, target="unknown/unknown", service="o")
    )
    assert serving(read(text)) == {HOST: ["svcb-v0.1", "svcb-v0.2"]}


def test_the_sum_of_none_is_nothing() -> None:
    assert sum_counts([]) == TrafficCounts()
