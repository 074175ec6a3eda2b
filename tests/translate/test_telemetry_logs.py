"""Access logs of Telemetry resources: to whom, in which form, and of which requests."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshproof.model.mesh_config import MeshConfig
from meshproof.model.telemetry import AccessLogging
from meshproof.translate.envoy_config import build_sidecar
from meshproof.translate.telemetry_logs import LogSettings, merge_logs
from tests.translate.builders import ECHO, world
from tests.translate.policy_builders import rule

FILE, OTEL = "envoy.access_loggers.file", "envoy.access_loggers.open_telemetry"


def _entries(text: str) -> list[AccessLogging]:
    return [AccessLogging.model_validate(entry) for entry in yaml.safe_load(text)]


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ([], {"envoy": LogSettings()}),
        (["[{}]"], {"envoy": LogSettings()}),
        (["[{disabled: true}]"], {"envoy": LogSettings(disabled=True)}),
        (["[{filter: {expression: x}}]"], {"envoy": LogSettings()}),
        (
            ["[{providers: [{name: a}], filter: {expression: x}}]"],
            {"a": LogSettings(expression="x")},
        ),
        (["[{match: {mode: SERVER}, disabled: true}]"], {}),
        (
            ["[{providers: [{name: a}]}]", "[{disabled: true}]"],
            {"a": LogSettings(disabled=True)},
        ),
        (["[{providers: [{name: a}]}]", "[{providers: [{name: b}]}]"], {"b": LogSettings()}),
        (
            ["[{providers: [{name: a}, {name: b}]}]"],
            {"a": LogSettings(), "b": LogSettings()},
        ),
    ],
)
def test_providers_and_filters(scopes: list[str], expected: dict[str, LogSettings]) -> None:
    assert merge_logs([_entries(s) for s in scopes], ["envoy"], "CLIENT") == expected


def _logs(mesh: str, telemetry: str = "") -> list[Any]:
    rules = (rule("Telemetry", telemetry),) if telemetry else ()
    config = MeshConfig.model_validate(yaml.safe_load(mesh))
    built = build_sidecar(world(telemetries=rules, mesh=config), ECHO[0], access_log="/tmp/own")
    listeners: Any = built.listeners
    manager = listeners["outbound"]["filter_chains"][0]["filters"][0]["typed_config"]
    return [log for log in manager["access_log"] if log["name"] in (FILE, OTEL)]


def _paths(logs: list[Any]) -> list[str]:
    return [log["typed_config"].get("path", "") for log in logs]


PROVIDERS = """
extensionProviders:
- {name: json, envoyFileAccessLog: {path: /dev/stdout, logFormat: {labels: {code: '%RESPONSE_CODE%'}}}}
- {name: short, envoyFileAccessLog: {path: /dev/stderr, logFormat: {text: '%REQ_WITHOUT_QUERY(:PATH)%'}}}
- {name: plain, envoyFileAccessLog: {path: /dev/stdout}}
- {name: otel, envoyOtelAls: {service: other.default.svc.cluster.local, port: 80, logFormat: {labels: {a: b}}}}
"""  # noqa: E501


def _named(*names: str, more: str = "") -> str:
    providers = ", ".join(f"{{name: {name}}}" for name in names)
    return f"{{accessLogging: [{{providers: [{providers}]{more}}}]}}"


def test_a_form_of_one_s_own_is_a_further_log() -> None:
    own, further = _logs(PROVIDERS, _named("json", more=", filter: {expression: 'true'}"))
    assert _paths([own, further]) == ["/tmp/own", "/dev/stdout"]
    form = further["typed_config"]["log_format"]
    assert form == {"json_format": {"code": "%RESPONSE_CODE%"}}
    for log in (own, further):
        condition = log["filter"]["extension_filter"]["typed_config"]
        assert condition["expression"] == "true"


def test_a_text_is_a_line_with_the_formatters_that_it_needs() -> None:
    _, further = _logs(PROVIDERS, _named("short"))
    form = further["typed_config"]["log_format"]
    assert form["text_format_source"] == {"inline_string": "%REQ_WITHOUT_QUERY(:PATH)%\n"}
    assert [f["name"] for f in form["formatters"]] == ["envoy.formatter.req_without_query"]


def test_without_a_form_a_file_is_the_mesh_s_own_log() -> None:
    assert _paths(_logs(PROVIDERS, _named("plain"))) == ["/tmp/own"]
    assert _paths(_logs(PROVIDERS, _named("plain", more=", disabled: true"))) == []


def test_a_log_by_otlp() -> None:
    own, further = _logs(PROVIDERS, _named("otel"))
    assert (own["name"], further["name"]) == (FILE, OTEL)
    config = further["typed_config"]
    service = config["common_config"]["grpc_service"]["envoy_grpc"]
    assert service["cluster_name"] == "outbound|80||other.default.svc.cluster.local"
    assert config["attributes"] == {"values": [{"key": "a", "value": {"string_value": "b"}}]}
    assert config["body"]["string_value"].startswith('[%START_TIME%] "%REQ(:METHOD)%')
    unknown = PROVIDERS.replace("other.default", "nobody.default")
    assert _paths(_logs(unknown, _named("otel"))) == ["/tmp/own"]


@pytest.mark.parametrize(
    ("mesh", "form"),
    [
        ("{accessLogFile: /dev/stdout}", None),
        (
            "{accessLogFile: /dev/stdout, accessLogFormat: '%PROTOCOL%'}",
            {"text_format_source": {"inline_string": "%PROTOCOL%\n"}},
        ),
        (
            "{accessLogFile: /dev/stdout, accessLogEncoding: JSON,"
            ' accessLogFormat: \'{"p": "%PROTOCOL%"}\'}',
            {"json_format": {"p": "%PROTOCOL%"}},
        ),
    ],
)
def test_the_form_of_a_mesh_config(mesh: str, form: dict[str, Any] | None) -> None:
    own, *further = _logs(mesh)
    assert own["typed_config"]["path"] == "/tmp/own"
    assert [log["typed_config"]["log_format"] for log in further] == ([form] if form else [])
