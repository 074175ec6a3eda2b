"""Gateway servers for connections: TCP, TLS that passes or ends at the gateway, and mesh TLS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.translate.envoy_config import build_gateway, build_outbound
from meshproof.translate.world import TlsSecret, World
from tests.translate import builders
from tests.translate.builders import GATEWAY, virtual_service, world

SERVICE = "echo.default.svc.cluster.local"
PASS = "{port: {number: 443, name: tls, protocol: TLS}, hosts: ['*.shop.test'], tls: {mode: PASSTHROUGH}}"  # noqa: E501
TCP = "{port: {number: 3306, name: db, protocol: TCP}, hosts: ['*']}"


def chains_of(
    server: str, *rules: str, secrets: tuple[TlsSecret, ...] = (), **parts: Any
) -> list[dict[str, Any]]:
    mesh = _world(server, *rules, secrets=secrets, **parts)
    listeners: Any = build_gateway(mesh, GATEWAY, "127.60.1.1", {}).listeners
    return [
        chain for n, item in listeners.items() if n != "probe" for chain in item["filter_chains"]
    ]


def _world(server: str, *rules: str, secrets: tuple[TlsSecret, ...] = (), **parts: Any) -> World:
    named = builders.gateway(f"{{selector: {{istio: ingressgateway}}, servers: [{server}]}}")
    bound = tuple(virtual_service(text, f"r{number}") for number, text in enumerate(rules))
    return world(gateways=(named,), virtual_services=bound, tls_secrets=secrets, **parts)


def rule(body: str, hosts: str = "['*']") -> str:
    return f"{{hosts: {hosts}, gateways: [gw], {body}}}"


def target(chain: dict[str, Any]) -> Any:
    proxy = chain["filters"][-1]["typed_config"]
    return proxy.get("cluster") or [
        (c["name"], c["weight"]) for c in proxy["weighted_clusters"]["clusters"]
    ]


def names(chain: dict[str, Any]) -> list[str]:
    match: dict[str, Any] = chain.get("filter_chain_match", {})
    return list(match.get("server_names", []))


ROUTE = "route: [{destination: {host: echo, port: {number: 80}}}]"


@pytest.mark.parametrize(
    ("protocol", "filters"),
    [
        ("MONGO", ["envoy.filters.network.mongo_proxy", "envoy.filters.network.tcp_proxy"]),
        ("REDIS", ["envoy.filters.network.tcp_proxy"]),
        ("MYSQL", ["envoy.filters.network.tcp_proxy"]),
    ],
)
def test_mongo_alone_has_a_filter_of_its_own(protocol: str, filters: list[str]) -> None:
    """As in Istio, where those of Redis and MySQL are off by default."""
    (chain,) = chains_of(TCP.replace("TCP", protocol), rule(f"tcp: [{{{ROUTE}}}]"))
    assert [f["name"] for f in chain["filters"]] == filters
    assert target(chain) == f"outbound|80||{SERVICE}"


def test_tcp_goes_where_the_first_matching_route_says() -> None:
    (chain,) = chains_of(
        TCP,
        rule("http: [{" + ROUTE + "}]"),
        rule(f"tcp: [{{match: [{{port: 9}}], {ROUTE}}}, {{match: [{{port: 3306}}], {ROUTE}}}]"),
    )
    assert target(chain) == f"outbound|80||{SERVICE}"
    assert not chain.keys() & {"transport_socket", "filter_chain_match"}


@pytest.mark.parametrize(
    "body",
    [
        "tcp: [{match: [{port: 9}], " + ROUTE + "}]",
        "tcp: [{match: [{gateways: [mesh]}], " + ROUTE + "}]",
        "http: [{" + ROUTE + "}]",
    ],
)
def test_without_a_route_nothing_listens(body: str) -> None:
    assert chains_of(TCP, rule(body).replace("[gw]", "[gw, mesh]")) == []


def test_tls_that_passes_is_routed_by_sni() -> None:
    tls = (
        "tls: [{match: [{sniHosts: [a.shop.test, b.shop.test]}, {port: 9, sniHosts: [c.shop.test]}]"
        ", route: [{destination: {host: echo, subset: v1, port: {number: 80}}, weight: 3}, "
        "{destination: {host: echo, subset: v2, port: {number: 80}}, weight: 1}]}, "
        "{match: [{port: 443, gateways: [gw], sniHosts: ['*.shop.test']}], " + ROUTE + "}]"
    )
    first, second = chains_of(
        PASS, rule(tls, "['*.shop.test']"), destination_rules=(builders.destination_rule(),)
    )
    assert names(first) == ["a.shop.test", "b.shop.test"]
    assert target(first) == [(f"outbound|80|v1|{SERVICE}", 3), (f"outbound|80|v2|{SERVICE}", 1)]
    assert (names(second), target(second)) == (["*.shop.test"], f"outbound|80||{SERVICE}")


def test_of_two_matches_with_a_common_name_the_second_is_left_out() -> None:
    """Envoy refuses a listener with one name in two chains."""
    tls = (
        "tls: [{match: [{sniHosts: [a.shop.test]}], " + ROUTE + "}, "
        "{match: [{sniHosts: [a.shop.test, b.shop.test]}], " + ROUTE + "}]"
    )
    (chain,) = chains_of(PASS, rule(tls, "['*.shop.test']"))
    assert names(chain) == ["a.shop.test"]


def test_a_rule_s_host_may_be_wider_than_the_server_s() -> None:
    """Names match when either covers the other (Name.Matches in pkg/config/host)."""
    tls = "tls: [{match: [{sniHosts: [a.shop.test]}], " + ROUTE + "}]"
    (chain,) = chains_of(PASS.replace("'*.shop.test'", "a.shop.test"), rule(tls, "['*.test']"))
    assert names(chain) == ["a.shop.test"]
    (chain,) = chains_of(TCP.replace("'*'", "db.shop.test"), rule("tcp: [{" + ROUTE + "}]"))
    assert target(chain) == f"outbound|80||{SERVICE}"


def test_a_rule_for_another_host_than_the_server_s_makes_no_chain() -> None:
    tls = "tls: [{match: [{sniHosts: [a.other.test]}], " + ROUTE + "}]"
    assert chains_of(PASS, rule(tls, "['*.other.test']")) == []


@pytest.mark.parametrize(
    ("scope", "count"), [("default/", 1), ("./", 1), ("'*/*.shop.test'", 1), ("other/", 0)]
)
def test_a_server_s_namespace_admits_rules_of_that_one(scope: str, count: int) -> None:
    host = scope if "'" in scope else f"'{scope}*.shop.test'"
    tls = "tls: [{match: [{sniHosts: [a.shop.test]}], " + ROUTE + "}]"
    server = PASS.replace("'*.shop.test'", host)
    assert len(chains_of(server, rule(tls, "[a.shop.test]"))) == count


MUTUAL = "{port: {number: 443, name: mtls, protocol: TLS}, hosts: [a.shop.test], tls: {mode: MUTUAL, credentialName: shop, cipherSuites: [AES128-SHA, fake, AES128-SHA], minProtocolVersion: TLSV1_1, subjectAltNames: [c.test]}}"  # noqa: E501
PAIR = TlsSecret("shop", "istio-system", "CHAIN", "KEY")


@pytest.mark.parametrize(
    "secrets",
    [
        (PAIR, TlsSecret("shop-cacert", "istio-system", ca="CA")),
        (TlsSecret("shop", "istio-system", "CHAIN", "KEY", "CA"),),
    ],
)
def test_tls_that_ends_at_the_gateway_is_routed_as_bytes(secrets: tuple[TlsSecret, ...]) -> None:
    (chain,) = chains_of(MUTUAL, rule("tcp: [{" + ROUTE + "}]", "[a.shop.test]"), secrets=secrets)
    assert (names(chain), target(chain)) == (["a.shop.test"], f"outbound|80||{SERVICE}")
    context = chain["transport_socket"]["typed_config"]
    assert context["require_client_certificate"] is True
    common = context["common_tls_context"]
    assert common["tls_params"] == {
        "tls_minimum_protocol_version": "TLSv1_1",
        "cipher_suites": ["AES128-SHA"],
    }
    validation = common["validation_context"]
    assert validation["trusted_ca"] == {"inline_string": "CA"}
    assert [m["san_type"] for m in validation["match_typed_subject_alt_names"]] == ["DNS", "URI"]


def test_mutual_tls_without_authorities_is_not_served() -> None:
    rules = (rule("tcp: [{" + ROUTE + "}]", "[a.shop.test]"),)
    assert chains_of(MUTUAL, *rules, secrets=(PAIR,)) == []
    optional = MUTUAL.replace("MUTUAL", "OPTIONAL_MUTUAL")
    (chain,) = chains_of(optional, *rules, secrets=(PAIR,))
    context = chain["transport_socket"]["typed_config"]["common_tls_context"]
    assert "validation_context" not in context, "nobody's certificate counts for anything"
    (chain,) = chains_of(
        optional, *rules, secrets=(PAIR, TlsSecret("shop-cacert", "istio-system", ca="CA"))
    )
    assert chain["transport_socket"]["typed_config"]["require_client_certificate"] is False


def test_istio_mutual_takes_the_mesh_s_certificate() -> None:
    server = "{port: {number: 443, protocol: %s}, hosts: ['*'], tls: {mode: ISTIO_MUTUAL}}"
    (chain,) = chains_of(server % "HTTPS", rule("http: [{" + ROUTE + "}]"))
    common = chain["transport_socket"]["typed_config"]["common_tls_context"]
    assert common["tls_certificate_sds_secret_configs"][0]["name"] == "default"
    assert common["validation_context_sds_secret_config"]["name"] == "ROOTCA"
    assert common["alpn_protocols"] == ["h2", "http/1.1"]
    (chain,) = chains_of(server % "TLS", rule("tcp: [{" + ROUTE + "}]"))
    common = chain["transport_socket"]["typed_config"]["common_tls_context"]
    assert "istio-peer-exchange" in common["alpn_protocols"]


def test_mesh_tls_passes_to_the_endpoints_that_speak_it() -> None:
    server = "{port: {number: 15443, protocol: TLS}, hosts: ['*.cluster.local'], tls: {mode: AUTO_PASSTHROUGH}}"  # noqa: E501
    mesh = _world(server, destination_rules=(builders.destination_rule(),))
    chains = chains_of(server, destination_rules=(builders.destination_rule(),))
    sni = f"outbound_.80_._.{SERVICE}"
    assert [n for c in chains for n in names(c) if "echo" in n] == [
        sni,
        *(f"outbound_.80_.{v}_.{SERVICE}" for v in ("v1", "v2", "v3")),
    ]
    protocols = chains[0]["filter_chain_match"]["application_protocols"]
    assert protocols[:2] == ["istio-peer-exchange", "istio"]
    config: Any = build_outbound(mesh, GATEWAY)
    assert target(chains[0]) == sni
    assert not config.clusters[sni].keys() & {"transport_socket", "transport_socket_matches"}
    assert len(builders.addresses(config.endpoints[sni])) == 2
    assert sni not in build_outbound(_world(PASS), GATEWAY).clusters


def test_plain_and_tls_servers_of_one_port_the_first_decides() -> None:
    plain = "{port: {number: 443, protocol: HTTP}, hosts: ['*']}"
    rules = (rule("http: [{" + ROUTE + "}]"), rule("tcp: [{" + ROUTE + "}]"))
    secured = chains_of(f"{MUTUAL.replace('443', '443')}, {plain}", *rules, secrets=(PAIR,))
    assert secured == []  # TLS lacks its authorities, and plain text came second
    (chain,) = chains_of(f"{plain}, {PASS}", *rules)
    assert "http_connection_manager" in chain["filters"][0]["name"]


def test_a_gateway_speaks_http_1_to_a_port_without_a_protocol() -> None:
    """A sidecar speaks what its client speaks there."""
    declared = builders.service("echo")
    unknown = tuple(replace(port, h2=None) for port in declared.ports)
    mesh = world(services=(replace(declared, ports=unknown),))
    name = f"outbound|80||{SERVICE}"
    options = "typed_extension_protocol_options"
    ours: Any = build_outbound(mesh, GATEWAY).clusters[name]
    theirs: Any = build_outbound(mesh, builders.CLIENT).clusters[name]
    (gateway,), (sidecar,) = ours[options].values(), theirs[options].values()
    assert "explicit_http_config" in gateway
    assert "use_downstream_protocol_config" in sidecar


def test_certificates_that_a_file_revokes() -> None:
    files = "serverCertificate: /c, privateKey: /k, caCertificates: /ca, caCrl: /crl"
    server = (
        "{port: {number: 443, protocol: TLS}, hosts: [a.shop.test], bind: 0.0.0.0, "
        f"tls: {{mode: MUTUAL, {files}}}}}"
    )
    (chain,) = chains_of(server, rule("tcp: [{" + ROUTE + "}]", "[a.shop.test]"))
    context = chain["transport_socket"]["typed_config"]["common_tls_context"]
    assert context["validation_context"]["crl"] == {"filename": "/crl"}
