"""Telemetry: sampling, spans and the access log of each side of a proxy."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.envoy_config import build_sidecar
from meshproof.translate.telemetry import EVERYTHING, select_reporting
from tests.translate.builders import ECHO, labelled, world
from tests.translate.policy_builders import ROOT, rule

LABELS = {"app": "echo"}


def _telemetry(text: str, namespace: str = "default") -> Any:
    return rule("Telemetry", text, namespace=namespace)


def _sampling(percent: float, namespace: str = "default", selector: str = "") -> Any:
    picked = f"selector: {{matchLabels: {{app: {selector}}}}}, " if selector else ""
    return _telemetry(
        f"{{{picked}tracing: [{{randomSamplingPercentage: {percent:.1f}}}]}}", namespace
    )


@pytest.mark.parametrize(
    ("rules", "percent"),
    [
        ([], 100),
        ([_sampling(5, ROOT)], 5),
        ([_sampling(5, ROOT), _sampling(7)], 7),
        ([_sampling(7), _sampling(9, selector="echo"), _sampling(5, ROOT)], 9),
        ([_sampling(9, selector="other"), _sampling(7)], 7),
        ([_sampling(7), _sampling(8)], 7),
        ([_sampling(7, "other")], 100),
    ],
)
def test_the_narrowest_scope_and_the_oldest_of_it(rules: list[Any], percent: float) -> None:
    assert (
        select_reporting(world(telemetries=tuple(rules)), labelled(LABELS), "SERVER").sampling
        == percent
    )


def test_a_narrower_scope_keeps_what_it_does_not_write() -> None:
    rules = (_sampling(5, ROOT), _telemetry("{tracing: [{disableSpanReporting: true}]}"))
    result = select_reporting(world(telemetries=rules), labelled(LABELS), "CLIENT")
    assert (result.spans, result.sampling) == (False, 5)


@pytest.mark.parametrize("mode", ["CLIENT", "SERVER"])
def test_a_side_of_its_own(mode: str) -> None:
    text = f"{{accessLogging: [{{match: {{mode: {mode}}}, disabled: true}}]}}"
    rules = (_telemetry(text),)
    result = {
        side: select_reporting(world(telemetries=rules), labelled(LABELS), side).log
        for side in ("CLIENT", "SERVER")
    }
    assert result == {side: side != mode for side in result}


def _manager(listener: str, text: str = "") -> dict[str, Any]:
    rules = (_telemetry(text),) if text else ()
    listeners: Any = build_sidecar(
        world(telemetries=rules), ECHO[0], access_log="/tmp/log"
    ).listeners
    result: dict[str, Any] = listeners[listener]["filter_chains"][0]["filters"][0]["typed_config"]
    return result


def _loggers(manager: dict[str, Any]) -> list[str]:
    return [logger["name"] for logger in manager["access_log"]]


@pytest.mark.parametrize("listener", ["outbound", "inbound|8080||"])
def test_what_listeners_make_of_it(listener: str) -> None:
    plain = _manager(listener)
    assert plain["tracing"]["random_sampling"] == {"value": EVERYTHING.sampling}
    sampled = _manager(listener, "{tracing: [{randomSamplingPercentage: 12.5}]}")
    assert sampled["tracing"]["random_sampling"] == {"value": 12.5}
    assert "tracing" not in _manager(listener, "{tracing: [{disableSpanReporting: true}]}")
    silent = _manager(listener, "{accessLogging: [{disabled: true}]}")
    assert set(_loggers(silent)) == {"envoy.access_loggers.stats"}, "metrics are no access log"
    assert _loggers(plain) == ["envoy.access_loggers.file", *_loggers(silent)]


def test_a_log_filter_is_envoy_s_cel() -> None:
    manager = _manager(
        "outbound",
        "{accessLogging: [{providers: [{name: envoy}],"
        " filter: {expression: 'response.code >= 400'}}]}",
    )
    condition = manager["access_log"][0]["filter"]["extension_filter"]["typed_config"]
    assert condition["expression"] == "response.code >= 400"


def test_custom_tags() -> None:
    manager = _manager(
        "outbound",
        "{tracing: [{customTags: {b: {header: {name: x-b, defaultValue: none}},"
        " a: {literal: {value: '1'}}}}]}",
    )
    assert manager["tracing"]["custom_tags"][-2:] == [
        {"tag": "a", "literal": {"value": "1"}},
        {"tag": "b", "request_header": {"name": "x-b", "default_value": "none"}},
    ]


def test_a_log_filter_without_a_provider_is_ignored_as_in_istio() -> None:
    manager = _manager("outbound", "{accessLogging: [{filter: {expression: 'false'}}]}")
    assert "filter" not in manager["access_log"][0]


def test_every_resource_that_selects_a_workload_counts_the_newest_last() -> None:
    rules = (_sampling(9, selector="echo"), _sampling(5, selector="echo"))
    mesh = world(telemetries=rules)
    assert select_reporting(mesh, labelled(LABELS), "SERVER").sampling == 5


def test_an_empty_selector_is_for_the_namespace() -> None:
    rules = (_telemetry("{selector: {}, tracing: [{randomSamplingPercentage: 3.0}]}"),)
    mesh = world(telemetries=rules)
    assert select_reporting(mesh, labelled({"app": "x"}), "SERVER").sampling == 3


def test_tags_of_every_kind() -> None:
    manager = _manager(
        "outbound",
        "{tracing: [{enableIstioTags: false, useRequestIdForTraceSampling: false,"
        " customTags: {a: {environment: {name: HOME, defaultValue: x}},"
        " b: {formatter: {value: '%RESPONSE_CODE%'}}, c: {}}}]}",
    )
    assert manager["tracing"]["custom_tags"][1:] == [
        {"tag": "a", "environment": {"name": "HOME", "default_value": "x"}},
        {"tag": "b", "value": "%RESPONSE_CODE%"},
    ]
    request_id = manager["request_id_extension"]["typed_config"]
    assert request_id["use_request_id_for_trace_sampling"] is False
