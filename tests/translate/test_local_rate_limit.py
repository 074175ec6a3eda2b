"""Local rate limits of EnvoyFilters: the bucket is part of the routes, no listener changes."""

from __future__ import annotations

from typing import Any

from meshproof.model.reader import read_text
from meshproof.translate.envoy_config import build_gateway, build_outbound, build_sidecar
from meshproof.translate.world import Config, Named
from tests.model.envoy_filters import BARE, BUCKET, BY_ITS_TYPE, FILTER, HEAD, ROUTES
from tests.translate import builders
from tests.translate.builders import ECHO, GATEWAY, world
from tests.translate.policy_builders import ROOT

NAME = "inbound|8080||"
LIMIT = "envoy.filters.http.local_ratelimit"
MORE = f"""\
            {BUCKET}
            filter_enabled: {{runtime_key: a.b, default_value: {{numerator: 100}}}}
            filter_enforced:
              default_value: {{numerator: 5, denominator: TEN_THOUSAND}}
            response_headers_to_add:
            - {{append: false, header: {{key: x-local-rate-limit, value: "true"}}}}
            local_rate_limit_per_downstream_connection: true
"""


def _filter(patches: str, labels: str = "app: echo", namespace: str = "default") -> Named[Any]:
    text = (HEAD + patches).replace("app: productpage", labels)
    (resource,) = read_text(text.replace("namespace: default", f"namespace: {namespace}"), "f")
    return Named(resource.name, resource.namespace, resource.spec)


def _sidecar(*filters: Named[Any]) -> Config:
    return build_sidecar(
        world(services=(builders.service("echo"),), envoy_filters=filters), ECHO[0]
    )


def _table(*filters: Named[Any]) -> Any:
    return _sidecar(*filters).routes[NAME]


def test_a_bucket_is_on_all_routes() -> None:
    table = _table(_filter(FILTER.replace(f"            {BUCKET}\n", MORE)))
    assert table["typed_per_filter_config"][LIMIT] == {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3"
        ".LocalRateLimit",
        "stat_prefix": "limiter",
        "token_bucket": {"max_tokens": 4, "tokens_per_fill": 3, "fill_interval": "60s"},
        "filter_enabled": {
            "runtime_key": "a.b",
            "default_value": {"numerator": 100, "denominator": "HUNDRED"},
        },
        "filter_enforced": {
            "runtime_key": "",
            "default_value": {"numerator": 5, "denominator": "TEN_THOUSAND"},
        },
        "response_headers_to_add": [
            {
                "header": {"key": "x-local-rate-limit", "value": "true"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
        "local_rate_limit_per_downstream_connection": True,
    }


def test_no_listener_changes_and_the_filter_is_the_first() -> None:
    plain, limited = _sidecar(), _sidecar(_filter(FILTER))
    assert plain.listeners == limited.listeners
    assert plain.routes != limited.routes
    chains: Any = plain.listeners[NAME]["filter_chains"]
    names = [f["name"] for f in chains[0]["filters"][0]["typed_config"]["http_filters"]]
    asks = [n for n in names if n != "envoy.filters.http.header_to_metadata"]
    assert asks[0] == LIMIT


def test_a_limit_of_a_service_s_port_is_on_its_routes_alone() -> None:
    of_80 = _table(_filter(BARE + ROUTES.replace("9080", "80")))
    assert "typed_per_filter_config" not in of_80
    (host,) = of_80["virtual_hosts"]
    assert host["name"] == "inbound|http|80"
    bucket = host["typed_per_filter_config"][LIMIT]["token_bucket"]
    assert bucket == {"max_tokens": 4, "tokens_per_fill": 3, "fill_interval": "60s"}
    of_another = _table(_filter(BARE + ROUTES))
    assert of_another == _table()


def test_it_is_for_those_that_it_selects() -> None:
    plain = _table()
    assert _table(_filter(FILTER, "app: other")) == plain
    assert _table(_filter(FILTER, namespace="elsewhere")) == plain
    assert _table(_filter(FILTER, namespace=ROOT)) != plain
    assert _table(_filter(FILTER, "version: v1")) != plain
    assert _table(_filter(BY_ITS_TYPE)) == plain


def test_a_gateway_is_limited_where_it_knows_no_host_too() -> None:
    server = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"
    entrance = builders.gateway(f"{{selector: {{istio: ingressgateway}}, servers: [{server}]}}")
    rule = _filter(BY_ITS_TYPE, "istio: ingressgateway", namespace=ROOT)
    plain, limited = world(gateways=(entrance,)), world(gateways=(entrance,), envoy_filters=(rule,))
    table: Any = build_outbound(limited, GATEWAY).routes["http.80"]
    assert table["typed_per_filter_config"][LIMIT]["token_bucket"]["max_tokens"] == 4
    assert all(host["routes"] for host in table["virtual_hosts"])
    assert "typed_per_filter_config" not in build_outbound(plain, GATEWAY).routes["http.80"]
    listeners = [
        build_gateway(w, GATEWAY, "127.60.1.1", {80: 80}).listeners for w in (plain, limited)
    ]
    assert listeners[0] == listeners[1]
