"""Providers of traces: who gets the spans, and in which form."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshproof.model.mesh_config import MeshConfig
from meshproof.translate.envoy_config import build_sidecar
from tests.translate.builders import ECHO, world
from tests.translate.policy_builders import rule

CLUSTER = "outbound|80||other.default.svc.cluster.local"
OTHER = "service: other.default.svc.cluster.local, port: 80"
OWN = "zipkin"


def _tracing(provider: str, telemetry: str = "", more: str = "") -> dict[str, Any]:
    text = telemetry or "{tracing: [{providers: [{name: a}]}]}"
    mesh = MeshConfig.model_validate(
        yaml.safe_load(f"{{extensionProviders: [{{name: A, {provider}}}]{more}}}")
    )
    built = build_sidecar(world(telemetries=(rule("Telemetry", text),), mesh=mesh), ECHO[0])
    listeners: Any = built.listeners
    manager = listeners["outbound"]["filter_chains"][0]["filters"][0]["typed_config"]
    tracing: dict[str, Any] = manager["tracing"]
    return tracing


def _config(tracing: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = tracing["provider"]["typed_config"]
    return config


def test_zipkin() -> None:
    spec = (
        f"zipkin: {{{OTHER}, path: /spans, maxTagLength: 9, enable64bitTraceId: true, timeout: 1s,"
        " traceContextOption: USE_B3_WITH_W3C_PROPAGATION, headers: [{name: x-a, value: b}]}"
    )
    tracing = _tracing(spec)
    config = _config(tracing)
    assert tracing["max_path_tag_length"] == 9
    assert config["collector_service"] == {
        "http_uri": {
            "uri": "http://other.default.svc.cluster.local/spans",
            "cluster": CLUSTER,
            "timeout": "1s",
        },
        "request_headers_to_add": [
            {
                "header": {"key": "x-a", "value": "b"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
    }
    assert config["collector_endpoint_version"] == "HTTP_JSON"
    assert config["trace_id_128bit"] is False
    assert config["trace_context_option"] == "USE_B3_WITH_W3C_PROPAGATION"


@pytest.mark.parametrize(
    ("more", "field", "service"),
    [
        ("", "grpc_service", {
            "envoy_grpc": {"cluster_name": CLUSTER, "authority": "other.default.svc.cluster.local"}
        }),
        (", grpc: {timeout: 2s, initialMetadata: [{name: k, value: v}]}", "grpc_service", {
            "envoy_grpc": {"cluster_name": CLUSTER, "authority": "other.default.svc.cluster.local"},
            "timeout": "2s",
            "initial_metadata": [{"key": "k", "value": "v"}],
        }),
        (", http: {path: /v1/traces}", "http_service", {
            "http_uri": {
                "uri": "other.default.svc.cluster.local/v1/traces",
                "cluster": CLUSTER,
                "timeout": "5s",
            }
        }),
    ],
)  # fmt: skip
def test_opentelemetry(more: str, field: str, service: dict[str, Any]) -> None:
    config = _config(_tracing(f"opentelemetry: {{{OTHER}{more}}}"))
    assert config[field] == service
    assert config["service_name"] == "echo.default"


def test_a_default_provider() -> None:
    default = ", defaultProviders: {tracing: [A]}"
    config = _config(_tracing(f"zipkin: {{{OTHER}}}", "{}", default))
    assert config["collector_service"]["http_uri"]["cluster"] == CLUSTER


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("zipkin: {service: zipkin.istio-system.svc.cluster.local, port: 9411}", "a"),
        ("prometheus: {}", "a"),
        (f"zipkin: {{{OTHER}}}", "somebody"),
    ],
)
def test_what_is_not_in_the_mesh_is_the_mesh_s_own_collector(provider: str, name: str) -> None:
    tracing = _tracing(provider, f"{{tracing: [{{providers: [{{name: {name}}}]}}]}}")
    assert _config(tracing)["collector_cluster"] == OWN


def test_of_several_providers_the_first_counts() -> None:
    text = "{tracing: [{providers: [{name: somebody}, {name: a}]}]}"
    assert _config(_tracing(f"zipkin: {{{OTHER}}}", text))["collector_cluster"] == OWN
