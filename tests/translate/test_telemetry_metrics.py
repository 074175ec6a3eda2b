"""Metrics of Telemetry resources: which are counted, and with which tags."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshproof.model.mesh_config import MeshConfig
from meshproof.translate.envoy_config import build_sidecar
from tests.translate.builders import ECHO, world
from tests.translate.metric_labels import labels_of
from tests.translate.policy_builders import ROOT, rule

STATS = "envoy.access_loggers.stats"
HTTP = ["request_bytes", "request_duration_milliseconds", "requests_total", "response_bytes"]


def _telemetry(overrides: str, more: str = "", namespace: str = "default", **name: str) -> Any:
    text = f"{{{more} metrics: [{overrides}]}}"
    return rule("Telemetry", text, namespace=namespace, **name)


def _metrics(*rules: Any, side: str = "outbound", mesh: str = "{}") -> dict[str, dict[str, str]]:
    """The tags of each metric of requests, by name."""
    config = MeshConfig.model_validate(yaml.safe_load(mesh))
    listeners: Any = build_sidecar(world(telemetries=rules, mesh=config), ECHO[0]).listeners
    name = {"outbound": "outbound", "inbound": "inbound|8080||"}[side]
    manager = listeners[name]["filter_chains"][0]["filters"][0]["typed_config"]
    stats = [
        entry["stat"]
        for log in manager["access_log"]
        if log["name"] == STATS
        for kind in ("counters", "histograms")
        for entry in log["typed_config"].get(kind, ())
        if not entry["stat"]["name"].startswith("tcp_")
    ]
    return {s["name"]: labels_of(s) for s in stats}


def test_by_default_all_are_counted() -> None:
    assert sorted(_metrics()) == HTTP


def test_one_metric_of_one_side_is_disabled() -> None:
    telemetry = _telemetry(
        "{overrides: [{match: {metric: REQUEST_SIZE, mode: CLIENT}, disabled: true}]}"
    )
    assert "request_bytes" not in _metrics(telemetry)
    assert sorted(_metrics(telemetry, side="inbound")) == HTTP


@pytest.mark.parametrize("match", ["{}", "{metric: ALL_METRICS}", "{mode: CLIENT_AND_SERVER}"])
def test_all_are_disabled(match: str) -> None:
    telemetry = _telemetry(f"{{overrides: [{{match: {match}, disabled: true}}]}}")
    assert _metrics(telemetry) == _metrics(telemetry, side="inbound") == {}


def test_a_namespace_enables_what_the_mesh_disables() -> None:
    wide = _telemetry("{overrides: [{disabled: true}]}", namespace=ROOT)
    own = _telemetry("{overrides: [{match: {metric: REQUEST_COUNT}, disabled: false}]}")
    assert sorted(_metrics(wide, own)) == HTTP


def test_tags_are_added_replaced_and_removed() -> None:
    telemetry = _telemetry(
        "{overrides: [{tagOverrides: {source_app: {operation: REMOVE},"
        " response_code: {value: 'response.code / 100'}, host: {value: request.host}}}]}"
    )
    plain, tags = _metrics()["requests_total"], _metrics(telemetry)["requests_total"]
    assert "source_app" in plain
    assert "source_app" not in tags
    assert tags["response_code"] == "%CEL(response.code / 100)%"
    assert tags["host"] == "%CEL(request.host)%"
    assert set(tags) == {*plain, "host"} - {"source_app"}


def test_tags_of_one_metric_by_its_own_name() -> None:
    telemetry = _telemetry(
        "{overrides: [{match: {customMetric: requests_total}, tagOverrides: {a: {value: '1'}}}]}"
    )
    metrics = _metrics(telemetry)
    assert "a" in metrics["requests_total"]
    assert "a" not in metrics["request_bytes"]


def test_later_overrides_win_tag_by_tag() -> None:
    wide = _telemetry(
        "{overrides: [{tagOverrides: {a: {value: '1'}, b: {value: '2'}}}]}", namespace=ROOT
    )
    own = _telemetry("{overrides: [{tagOverrides: {a: {operation: REMOVE}}}]}")
    tags = _metrics(wide, own)["requests_total"]
    assert tags["b"] == "%CEL(2)%"
    assert "a" not in tags


def test_a_provider_that_is_not_prometheus_counts_nothing_here() -> None:
    log = "{extensionProviders: [{name: log, envoyFileAccessLog: {path: /dev/stdout}}]}"
    telemetry = _telemetry("{providers: [{name: log}]}")
    assert _metrics(telemetry, mesh=log) == {}
    assert sorted(_metrics(_telemetry("{providers: [{name: prometheus}]}"))) == HTTP
    own = "{extensionProviders: [{name: mine, prometheus: {}}]}"
    assert sorted(_metrics(_telemetry("{providers: [{name: mine}]}"), mesh=own)) == HTTP


def test_overrides_of_a_provider_that_is_not_in_force_are_ignored() -> None:
    two = "{extensionProviders: [{name: a, prometheus: {}}, {name: b, prometheus: {}}]}"
    wide = _telemetry("{providers: [{name: a}], overrides: [{disabled: true}]}", namespace=ROOT)
    own = _telemetry("{providers: [{name: b}]}")
    assert sorted(_metrics(wide, own, mesh=two)) == HTTP
