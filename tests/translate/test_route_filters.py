"""Filters that do something only where a route configures them."""

from __future__ import annotations

from typing import Any

from tests.envoy_filters.patch_builders import BEFORE_ROUTER, gateway, lua, sidecar
from tests.translate import builders
from tests.translate.policy_builders import JWKS, ROOT, rule

SERVER = builders.gateway(
    "{selector: {istio: ingressgateway},"
    " servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}"
)
TOKENS = rule(
    "RequestAuthentication", f"{{jwtRules: [{{issuer: i.test, jwks: '{JWKS}'}}]}}", namespace=ROOT
)


def _disabled(listener: Any) -> dict[str, bool]:
    """By name: whether a filter is left out of the chains of requests whose route does not
    configure it."""
    (manager,) = (f["typed_config"] for f in listener["filter_chains"][0]["filters"])
    return {f["name"].rpartition(".")[2]: f.get("disabled", False) for f in manager["http_filters"]}


IDLE = ("fault", "cors", "allow", "audit", "deny")


def test_requests_pass_no_filter_that_their_route_does_not_configure() -> None:
    config, entrance = sidecar(), gateway(proxy=builders.GATEWAY, gateways=(SERVER,))
    listeners = (
        config.listeners["outbound"],
        config.listeners["inbound|8080||"],
        entrance.listeners["http.80"],
    )
    for listener in listeners:
        filters = _disabled(listener)
        assert filters == {name: name in IDLE for name in filters}
    assert {*_disabled(listeners[0]), *_disabled(listeners[1])} >= {*IDLE}


def test_a_filter_that_may_choose_the_route_anew_keeps_those_after_it() -> None:
    """Envoy decides by the first route which filters a request has."""
    rules = {"gateways": (SERVER,), "request_authentications": (TOKENS,)}
    filters = _disabled(gateway(proxy=builders.GATEWAY, **rules).listeners["http.80"])
    assert (filters["fault"], filters["cors"], filters["allow"]) == (False, False, True)


def test_an_envoy_filter_meets_the_filters_as_istio_has_them() -> None:
    patch = lua("INSERT_BEFORE", BEFORE_ROUTER, "SIDECAR_OUTBOUND")
    filters = _disabled(sidecar(patch).listeners["outbound"])
    assert filters == {"fault": False, "cors": False, "lua": False, "router": False}
