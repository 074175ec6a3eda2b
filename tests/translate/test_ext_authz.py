"""The action CUSTOM: from policies and providers to Envoy's filters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from meshproof.model.mesh_config import MeshConfig
from meshproof.translate.envoy_config import build_gateway, build_sidecar
from tests.translate import builders
from tests.translate.builders import ECHO, GATEWAY, service, world
from tests.translate.policy_builders import ROOT, policy

RULES, CHECK = "envoy.filters.http.rbac.custom", "envoy.filters.http.ext_authz"
NETWORK_RULES, NETWORK_CHECK = "envoy.filters.network.rbac", "envoy.filters.network.ext_authz"
KEY = "istio-ext-authz-ns[default]-policy[p]-rule[0]"
CLUSTER = "outbound|80||other.default.svc.cluster.local"
OTHER = "service: other.default.svc.cluster.local, port: 80"
ASK = "{action: CUSTOM, provider: {name: a}, rules: [{to: [{operation: {paths: [/x]}}]}]}"


def _mesh(*providers: str) -> MeshConfig:
    return MeshConfig.model_validate(
        {"extensionProviders": [yaml.safe_load(text) for text in providers]}
    )


def _http(more: str = "") -> str:
    return f"{{name: a, envoyExtAuthzHttp: {{{OTHER}{more}}}}}"


def _grpc(more: str = "") -> str:
    return f"{{name: a, envoyExtAuthzGrpc: {{{OTHER}{more}}}}}"


def _filters(*policies: Any, providers: tuple[str, ...] = (_http(),), **parts: Any) -> Any:
    mesh = world(authorization_policies=policies, mesh=_mesh(*providers), **parts)
    (listener,) = (
        x for n, x in build_sidecar(mesh, ECHO[0]).listeners.items() if n == "inbound|8080||"
    )
    chains: Any = listener["filter_chains"]
    return chains[0]["filters"]


def _http_filters(*policies: Any, **parts: Any) -> dict[str, Any]:
    (manager,) = _filters(*policies, **parts)
    return {f["name"]: f["typed_config"] for f in manager["typed_config"]["http_filters"]}


def test_without_such_a_policy_there_are_no_filters() -> None:
    filters = _http_filters(policy("{rules: [{}]}"))
    assert RULES not in filters
    assert CHECK not in filters


def test_a_rule_is_noted_and_the_server_asked_about_what_has_a_note() -> None:
    filters = _http_filters(policy(ASK))
    names = list(filters)
    assert names.index(CHECK) == names.index(RULES) + 1
    assert names.index(CHECK) < names.index("envoy.filters.http.rbac.audit")
    shadow = filters[RULES]
    assert list(shadow["shadow_rules"]["policies"]) == [KEY]
    assert shadow["shadow_rules"]["action"] == "DENY"
    assert shadow["shadow_rules_stat_prefix"] == "istio_ext_authz_"
    assert filters[CHECK]["filter_enabled_metadata"] == {
        "filter": "envoy.filters.http.rbac",
        "path": [{"key": "istio_ext_authz_shadow_effective_policy_id"}],
        "value": {"string_match": {"prefix": "istio-ext-authz"}},
    }
    assert filters[CHECK]["http_service"]["server_uri"] == {
        "uri": "http://other.default.svc.cluster.local",
        "cluster": CLUSTER,
        "timeout": "600s",
    }


def test_every_field_of_a_server_by_http() -> None:
    more = (
        ", timeout: 1s, pathPrefix: /check, failOpen: true, clearRouteCache: true,"
        " statusOnError: '503', includeHeadersInCheck: [x-old], includeRequestHeadersInCheck:"
        " [x-a, 'x-b*', '*-c'], includeAdditionalHeadersInCheck: {x-d: d, x-c: c},"
        " includeRequestBodyInCheck: {maxRequestBytes: 10, allowPartialMessage: true},"
        " headersToUpstreamOnAllow: [x-up], headersToDownstreamOnDeny: [x-no],"
        " headersToDownstreamOnAllow: [x-yes]"
    )
    config = _http_filters(policy(ASK), providers=(_http(more),))[CHECK]

    def header(form: str, text: str) -> dict[str, Any]:
        return {form: text, "ignore_case": True}

    assert config["allowed_headers"] == {
        "patterns": [header("exact", "x-a"), header("prefix", "x-b"), header("suffix", "-c")]
    }
    http = config["http_service"]
    assert (http["path_prefix"], http["server_uri"]["timeout"]) == ("/check", "1s")
    assert http["authorization_request"] == {
        "headers_to_add": [{"key": "x-c", "value": "c"}, {"key": "x-d", "value": "d"}]
    }
    assert http["authorization_response"] == {
        "allowed_upstream_headers": {"patterns": [header("exact", "x-up")]},
        "allowed_client_headers": {"patterns": [header("exact", "x-no")]},
        "allowed_client_headers_on_success": {"patterns": [header("exact", "x-yes")]},
    }
    assert config["status_on_error"] == {"code": 503}
    assert config["failure_mode_allow"] is config["clear_route_cache"] is True
    assert config["with_request_body"] == {
        "max_request_bytes": 10,
        "allow_partial_message": True,
        "pack_as_bytes": False,
    }


def test_a_deprecated_list_of_headers_counts_where_there_is_no_other() -> None:
    more = ", includeHeadersInCheck: [x-old]"
    config = _http_filters(policy(ASK), providers=(_http(more),))[CHECK]
    assert config["allowed_headers"]["patterns"] == [{"exact": "x-old", "ignore_case": True}]


def test_a_server_by_grpc() -> None:
    config = _http_filters(policy(ASK), providers=(_grpc(", timeout: 250ms"),))[CHECK]
    host = "other.default.svc.cluster.local"
    assert config["grpc_service"] == {
        "envoy_grpc": {"cluster_name": CLUSTER, "authority": host},
        "timeout": "0.25s",
    }


def test_a_tcp_port_is_guarded_by_grpc_alone() -> None:
    tcp = (service("echo", protocol="TCP"), service("other"))
    ask = policy("{action: CUSTOM, provider: {name: a}, rules: [{}]}")
    by_grpc = _filters(ask, providers=(_grpc(),), services=tcp)
    assert [f["name"] for f in by_grpc][:2] == [NETWORK_RULES, NETWORK_CHECK]
    check = by_grpc[1]["typed_config"]
    assert check["filter_enabled_metadata"]["filter"] == "envoy.filters.network.rbac"
    by_http = _filters(ask, services=tcp)
    assert [f["name"] for f in by_http] == ["envoy.filters.network.tcp_proxy"]
    unknown = _filters(ask, providers=(), services=tcp)
    assert list(unknown[0]["typed_config"]["rules"]["policies"]) == [f"{KEY}{BAD}"]


BAD = "-deny-due-to-bad-CUSTOM-action"


def test_what_cannot_be_asked_is_denied() -> None:
    second = policy(ASK.replace("name: a", "name: b"), "q")
    elsewhere = _http().replace("other.default", "nobody.default")
    twice = (service("other", "one"), service("other", "two"))
    ambiguous = "{name: a, envoyExtAuthzHttp: {service: x.test, port: 80}}"
    entries = tuple(
        builders.service_entry(
            "{hosts: [x.test], ports: [{number: 80, name: http, protocol: HTTP}],"
            " resolution: STATIC, endpoints: [{address: 127.0.0.9}]}",
            namespace=namespace,
        )
        for namespace in ("one", "two")
    )
    for filters in (
        _http_filters(policy(ASK), providers=()),
        _http_filters(policy(ASK), providers=(elsewhere,)),
        _http_filters(policy(ASK), second, providers=(_http(), _http().replace("a,", "b,", 1))),
        _http_filters(policy(ASK), providers=(ambiguous,), service_entries=entries),
        _http_filters(policy(ASK), providers=("{name: a, prometheus: {}}",), services=twice),
    ):
        assert CHECK not in filters
        rules = filters[RULES]["rules"]
        assert rules["action"] == "DENY"
        assert f"{KEY}{BAD}" in rules["policies"]


def test_a_service_of_several_namespaces_is_named_with_its_own() -> None:
    entries = tuple(
        builders.service_entry(
            "{hosts: [x.test], ports: [{number: 80, name: http, protocol: HTTP}],"
            " resolution: STATIC, endpoints: [{address: 127.0.0.9}]}",
            namespace=namespace,
        )
        for namespace in ("one", "two")
    )
    provider = "{name: a, envoyExtAuthzHttp: {service: two/x.test, port: 80}}"
    filters = _http_filters(policy(ASK), providers=(provider,), service_entries=entries)
    assert filters[CHECK]["http_service"]["server_uri"]["cluster"] == "outbound|80||x.test"


def test_a_dry_run_of_this_action_has_no_effect() -> None:
    filters = _http_filters(replace(policy(ASK), dry_run=True))
    assert filters[RULES]["shadow_rules"]["policies"] == {}


def test_a_dry_run_of_another_action_is_only_counted() -> None:
    tried = replace(policy("{action: DENY, rules: [{}]}"), dry_run=True)
    in_force = policy("{action: DENY, rules: [{}]}", "q")
    for policies, fields in (
        ((tried,), {"shadow_rules", "shadow_rules_stat_prefix"}),
        ((tried, in_force), {"rules", "shadow_rules", "shadow_rules_stat_prefix"}),
    ):
        mesh = world(authorization_policies=policies)
        table: Any = build_sidecar(mesh, ECHO[0]).routes["inbound|8080||"]
        rbac = table["typed_per_filter_config"]["envoy.filters.http.rbac.deny"]["rbac"]
        assert rbac.keys() == fields
        assert rbac["shadow_rules_stat_prefix"] == "istio_dry_run_deny_"


def test_a_gateway_asks_too() -> None:
    mesh = world(
        authorization_policies=(policy(ASK, namespace=ROOT),),
        mesh=_mesh(_http()),
        gateways=(
            builders.gateway(
                "{selector: {istio: ingressgateway},"
                " servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}"
            ),
        ),
    )
    listener: Any = build_gateway(mesh, GATEWAY, "127.60.1.1", {}).listeners["http.80"]
    (manager,) = listener["filter_chains"][0]["filters"]
    assert CHECK in [f["name"] for f in manager["typed_config"]["http_filters"]]
