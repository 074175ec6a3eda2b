"""Patches of clusters with Envoy's old fields for the upstream protocol.

Istio 1.29.6 gives a cluster HttpProtocolOptions only for HTTP/2 and for the client's own protocol
(setH2Options, setUseDownstreamProtocol of core/cluster_builder.go); with these, Envoy ignores the
old fields.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.envoy_filters.patch_builders import envoy_filter, sidecar
from tests.translate import builders

CLUSTER = "outbound|80||echo.default.svc.cluster.local"
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def options(value: str, h2: bool | None = False) -> Any:
    """What a merged ``value`` makes of the options of a port that speaks ``h2``."""
    rule = envoy_filter(
        "applyTo: CLUSTER\nmatch: {context: SIDECAR_OUTBOUND}\n"
        f"patch: {{operation: MERGE, value: {{{value}}}}}"
    )
    echo = builders.service("echo")
    ports = tuple(replace(port, h2=h2) for port in echo.ports)
    config = sidecar(rule, services=(replace(echo, ports=ports),))
    cluster = config.clusters[CLUSTER]
    assert not set(cluster) & {"http2_protocol_options", "common_http_protocol_options"}
    return cluster["typed_extension_protocol_options"][OPTIONS]


def test_plain_http_becomes_http_2() -> None:
    before, after = options(""), options("http2_protocol_options: {max_concurrent_streams: 7}")
    assert before["explicit_http_config"] == {"http_protocol_options": {}}
    assert after["explicit_http_config"] == {
        "http2_protocol_options": {"max_concurrent_streams": 7}
    }
    assert after["common_http_protocol_options"] == before["common_http_protocol_options"]


def test_common_options_are_merged() -> None:
    common = "common_http_protocol_options: {max_requests_per_connection: 3}"
    result = options(common)["common_http_protocol_options"]
    assert result["max_requests_per_connection"] == 3
    assert result["idle_timeout"]


@pytest.mark.parametrize("h2", [True, None])
def test_where_istio_says_the_protocol_old_fields_are_ignored(*, h2: bool | None) -> None:
    value = "http2_protocol_options: {max_concurrent_streams: 7}"
    assert options(value, h2) == options("", h2)


def test_options_of_the_patch_s_own_replace_all() -> None:
    text = (
        f"typed_extension_protocol_options: {{{OPTIONS}: {{'@type': type.googleapis.com/{OPTIONS},"
        " explicit_http_config: {http2_protocol_options: {}}}}"
    )
    assert options(text)["explicit_http_config"] == {"http2_protocol_options": {}}
    assert "common_http_protocol_options" not in options(text)
