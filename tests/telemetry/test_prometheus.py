"""Prometheus text of many pods is one valid text, in both forms, with the same names and values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_plain
from prometheus_client.utils import floatToGoString

from meshproof.telemetry import prometheus
from meshproof.telemetry.prometheus import Families, add, merge_pods, prefers_openmetrics, render

SIDECAR = """\
# TYPE istio_requests_total counter
istio_requests_total{reporter="source",response_code="200"} 5
istio_requests_total{reporter="source",response_code="503"} 1
# TYPE envoy_cluster_upstream_rq counter
envoy_cluster_upstream_rq{envoy_response_code="200"} 5
# TYPE envoy_cluster_upstream_rq_total counter
envoy_cluster_upstream_rq_total{} 6
# TYPE envoy_server_live gauge
envoy_server_live{} 1
# TYPE istio_request_bytes histogram
istio_request_bytes_bucket{reporter="source",le="0.5"} 0
istio_request_bytes_bucket{reporter="source",le="3600000"} 6
istio_request_bytes_bucket{reporter="source",le="+Inf"} 6
istio_request_bytes_sum{reporter="source"} 12.5
istio_request_bytes_count{reporter="source"} 6
"""
APP = """\
# HELP payments_total Payments taken.
# TYPE payments_total counter
payments_total{result="notified",pod="mine",text="a } b \\"c\\" , d"} 5.0
# HELP payments_created When.
# TYPE payments_created gauge
payments_created{result="notified"} 1.7e+09
bare 3
"""
Key = tuple[str, frozenset[tuple[str, str]]]


def both() -> Families:
    families: Families = {}
    for pod in ("svca-1", "svcb-1"):
        add(families, SIDECAR + APP, {"pod": pod})
    return families


def values(result: Iterable[Any]) -> dict[Key, float]:
    """Limits of buckets as numbers: the two forms write them differently."""

    def key(sample: Any) -> Key:
        labels = {k: str(float(v)) if k == "le" else v for k, v in sample.labels.items()}
        return sample.name, frozenset(labels.items())

    return {key(s): s.value for family in result for s in family.samples}


def test_each_sample_says_of_which_pod_it_is() -> None:
    text = merge_pods({"svca-1": SIDECAR, "svcb-1": SIDECAR})
    result = values(read_plain(text))
    assert len(result) == 2 * len(values(read_plain(SIDECAR)))
    sample = ("reporter", "source"), ("response_code", "503")
    assert result["istio_requests_total", frozenset({*sample, ("pod", "svcb-1")})] == 1
    assert text.count("# TYPE istio_requests_total") == 1


def test_both_forms_are_valid_and_say_the_same_under_the_same_names() -> None:
    families = both()
    plain = values(read_plain(render(families)))
    strict = values(read_openmetrics(render(families, openmetrics=True)))  # type: ignore[no-untyped-call]
    # The reader of plain text, other than Prometheus, renames counters without _total.
    renamed = {k for k in strict if k[0] == "envoy_cluster_upstream_rq"}
    assert len(renamed) == 2
    for key in renamed:
        assert strict.pop(key) == plain.pop(("envoy_cluster_upstream_rq_total", key[1]))
    assert strict == {k: v for k, v in plain.items() if k[0] != "payments_created"}
    assert len(strict) == 2 * 11


def test_a_counter_by_another_name_keeps_its_name() -> None:
    text = render(both(), openmetrics=True)
    assert "# TYPE istio_requests counter" in text
    assert "# TYPE envoy_cluster_upstream_rq unknown" in text
    assert "# TYPE envoy_cluster_upstream_rq_total unknown" in text
    assert text.endswith("\n# EOF\n")


def test_a_label_that_the_app_has_too_is_told_apart() -> None:
    names = {k for k in values(read_plain(render(both()))) if k[0] == "payments_total"}
    assert {dict(labels)["exported_pod"] for _, labels in names} == {"mine"}
    assert {dict(labels)["text"] for _, labels in names} == {'a } b "c" , d'}


def test_of_a_pod_that_ended_its_counts_last() -> None:
    cumulative = prometheus.keep_cumulative(both())
    assert set(cumulative) == {"istio_requests_total", "istio_request_bytes", "payments_total"}


def test_a_family_without_samples_is_left_out() -> None:
    families: Families = {}
    add(families, "# TYPE nothing counter\n# a remark\n")
    assert render(families) == ""


@pytest.mark.parametrize(
    "number", [0.0005, 0.5, 1.0, 10.0, 99999.5, 1e6, 3600000.0, 12345678.5, 1e7]
)
def test_limits_of_buckets_are_written_as_go_does(number: float) -> None:
    assert prometheus._number(number) == floatToGoString(number)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            True,
        ),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.8", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=high", False),
    ],
)
def test_the_form_that_is_asked_for(accept: str, expected: bool) -> None:
    assert prefers_openmetrics(accept) is expected
