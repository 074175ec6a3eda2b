"""Patches of every kind on a sidecar's configuration: where each applies, and what it leaves."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.model.proxy_config import ProxyConfig
from tests.envoy_filters.patch_builders import (
    BEFORE_ROUTER,
    HCM,
    INTO_HCM,
    envoy_filter,
    http_filters,
    lua,
    sidecar,
)

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
MANAGER = f"{_EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager"
STDOUT = f"{_EXTENSIONS}.access_loggers.stream.v3.StdoutAccessLog"
PROXY_PROTOCOL = f"{_EXTENSIONS}.filters.listener.proxy_protocol.v3.ProxyProtocol"
INBOUND = "inbound|8080||"
CLUSTER = "outbound|80||echo.default.svc.cluster.local"
HOST = "echo.default.svc.cluster.local:80"


def _inbound(*filters: Any) -> Any:
    return sidecar(*filters).listeners[INBOUND]


@pytest.mark.parametrize(
    ("operation", "match", "place"),
    [
        ("INSERT_BEFORE", BEFORE_ROUTER, -2),
        ("INSERT_AFTER", BEFORE_ROUTER, -1),
        ("INSERT_BEFORE", INTO_HCM, 0),
        ("INSERT_AFTER", INTO_HCM, -1),
        ("INSERT_FIRST", BEFORE_ROUTER, 0),
        ("ADD", INTO_HCM, -1),
    ],
)
def test_an_http_filter_is_put_where_istio_puts_it_in_every_chain_of_the_port(
    operation: str, match: str, place: int
) -> None:
    chains = http_filters(_inbound(lua(operation, match)))
    assert [names[place] for names in chains] == ["lua", "lua"]
    assert [names.count("lua") for names in chains] == [1, 1]


def test_one_is_replaced_and_one_is_removed() -> None:
    cors = BEFORE_ROUTER.replace("router", "cors")
    chains = http_filters(sidecar(lua("REPLACE", cors, "SIDECAR_OUTBOUND")).listeners["outbound"])
    assert chains == [["fault", "lua", "router"]]
    removal = envoy_filter(
        f"applyTo: HTTP_FILTER\nmatch: {{context: SIDECAR_OUTBOUND, {cors}}}\n"
        "patch: {operation: REMOVE}"
    )
    assert http_filters(sidecar(removal).listeners["outbound"]) == [["fault", "router"]]


def test_a_context_is_one_side_and_any_is_both() -> None:
    inbound = sidecar(lua("INSERT_FIRST", INTO_HCM))
    assert "lua" not in http_filters(inbound.listeners["outbound"])[0]
    both = sidecar(lua("INSERT_FIRST", INTO_HCM, "ANY"))
    assert http_filters(both.listeners["outbound"])[0][0] == "lua"
    assert http_filters(both.listeners[INBOUND])[0][0] == "lua"
    assert "lua" not in http_filters(both.listeners["probe"])[0], "it is the mesh's own"


@pytest.mark.parametrize(
    ("match", "applies"),
    [
        ("portNumber: 8080", True),
        ("portNumber: 9999", False),
        ("name: virtualInbound, portNumber: 8080", True),
        ("name: virtualInbound", True),
        ("name: other", False),
        ("filterChain: {destinationPort: 8080}", True),
        ("filterChain: {destinationPort: 1}", False),
        ("filterChain: {name: 0.0.0.0_8080}", True),
        ("filterChain: {name: 0.0.0.0_9090}", False),
        ("filterChain: {transportProtocol: tls}", True),
        ("filterChain: {transportProtocol: quic}", False),
        ('filterChain: {applicationProtocols: "istio,istio-h2"}', True),
        ("filterChain: {applicationProtocols: h3}", False),
        ("filterChain: {sni: a.test}", False),
        ("filterChain: {filter: {name: other}}", False),
    ],
)
def test_a_listener_matches_as_istio_s_virtual_one(match: str, applies: bool) -> None:
    chains = http_filters(_inbound(lua("INSERT_FIRST", f"listener: {{{match}}}")))
    assert any(names[0] == "lua" for names in chains) == applies


def test_of_a_pod_the_listeners_have_istio_s_names_and_ports() -> None:
    for match in ("name: 0.0.0.0_80", "portNumber: 80"):
        patched = sidecar(
            lua("INSERT_FIRST", f"listener: {{{match}}}", "SIDECAR_OUTBOUND"), pods=True
        )
        assert http_filters(patched.listeners["0.0.0.0_80"])[0][0] == "lua"


def test_an_access_log_of_the_connection_manager_is_one_more() -> None:
    log = envoy_filter(f"""
        applyTo: NETWORK_FILTER
        match: {{context: SIDECAR_INBOUND, {INTO_HCM}}}
        patch:
          operation: MERGE
          value:
            typed_config:
              "@type": {MANAGER}
              access_log:
                - name: envoy.access_loggers.stdout
                  typed_config: {{"@type": {STDOUT}}}
              delayed_close_timeout: 7s
        """)  # fmt: skip
    before = _manager(_inbound())
    after = _manager(_inbound(log))
    assert len(after["access_log"]) == len(before["access_log"]) + 1
    assert after["delayed_close_timeout"] == "7s"
    assert after["rds"] == before["rds"]


def _manager(listener: Any) -> Any:
    filters = listener["filter_chains"][0]["filters"]
    return next(f["typed_config"] for f in filters if f["name"] == HCM)


def test_a_listener_and_its_filters_are_merged() -> None:
    limit = envoy_filter(f"""
        - applyTo: LISTENER
          match: {{context: SIDECAR_INBOUND}}
          patch: {{operation: MERGE, value: {{per_connection_buffer_limit_bytes: 4096}}}}
        - applyTo: LISTENER_FILTER
          match: {{context: SIDECAR_INBOUND}}
          patch:
            operation: INSERT_FIRST
            value:
              name: proxy_protocol
              typed_config: {{"@type": {PROXY_PROTOCOL}}}
        """)  # fmt: skip
    listener = _inbound(limit)
    assert listener["per_connection_buffer_limit_bytes"] == 4096
    assert listener["listener_filters"][0]["name"] == "proxy_protocol"


def test_a_chain_is_removed() -> None:
    removal = envoy_filter(
        "applyTo: FILTER_CHAIN\n"
        "match: {context: SIDECAR_INBOUND, listener: {filterChain: {transportProtocol:"
        " raw_buffer}}}\npatch: {operation: REMOVE}"
    )
    (chain,) = _inbound(removal)["filter_chains"]
    assert chain["filter_chain_match"]["transport_protocol"] == "tls"


@pytest.mark.parametrize(
    ("proxy", "count"),
    [
        (r"proxyVersion: '^1\.29.*'", 1),
        (r"proxyVersion: '1\.1[0-9]'", 0),
        ("metadata: {NAMESPACE: default, CLUSTER_ID: Kubernetes}", 1),
        ("metadata: {NAMESPACE: other}", 0),
        ("metadata: {TIER: gold}", 1),
    ],
)
def test_a_patch_is_for_the_proxies_that_it_names(proxy: str, count: int) -> None:
    own = ProxyConfig.model_validate({"proxyMetadata": {"ISTIO_META_TIER": "gold"}})
    match = f"proxy: {{{proxy}}}, {INTO_HCM}"
    config = sidecar(lua("INSERT_FIRST", match), proxy_configs={("default", "echo-v1"): own})
    chains = http_filters(config.listeners["inbound|8080||"])
    assert [names.count("lua") for names in chains] == [count] * len(chains)
