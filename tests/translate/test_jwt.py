"""RequestAuthentication: providers in the listener, requirements on the routes."""

from __future__ import annotations

from typing import Any

from meshproof.model.jwks import KeySource, check_jwks
from meshproof.translate import jwt
from meshproof.translate.envoy_config import build_gateway, build_outbound, build_sidecar
from tests.translate import builders
from tests.translate.builders import ECHO, GATEWAY, world
from tests.translate.policy_builders import JWKS, ROOT, rule

NAME = "inbound|8080||"
JWT = "envoy.filters.http.jwt_authn"


def _tokens(rules: str, namespace: str = "default", selector: str = "{}") -> Any:
    text = f"{{selector: {selector}, jwtRules: [{rules}]}}"
    return rule("RequestAuthentication", text, namespace=namespace)


def _signed(issuer: str, more: str = "") -> str:
    return f"{{issuer: {issuer}, jwks: '{JWKS}'{more}}}"


def _filters(*policies: Any, **parts: Any) -> list[dict[str, Any]]:
    config = build_sidecar(world(request_authentications=policies, **parts), ECHO[0])
    chains: Any = config.listeners[NAME]["filter_chains"]
    result: list[dict[str, Any]] = chains[0]["filters"][0]["typed_config"]["http_filters"]
    return [f for f in result if not f["name"].endswith("header_to_metadata")]


def _config(*policies: Any, **parts: Any) -> dict[str, Any]:
    first = _filters(*policies, **parts)[0]
    assert first["name"] == JWT
    result: dict[str, Any] = first["typed_config"]
    return result


def test_without_a_rule_there_is_no_filter_and_the_routes_keep_their_name() -> None:
    assert JWT not in [f["name"] for f in _filters()]
    assert JWT not in [f["name"] for f in _filters(_tokens("", "other"))]
    assert list(build_sidecar(world(), ECHO[0]).routes) == [NAME]


def test_a_provider_is_istio_s() -> None:
    config = _config(_tokens(_signed("i.test")))
    assert config["providers"] == {
        "origins-0": {
            "issuer": "i.test",
            "payload_in_metadata": "payload",
            "normalize_payload_in_metadata": {"space_delimited_claims": ["scope", "permission"]},
            "forward": False,
            "local_jwks": {"inline_string": JWKS},
        }
    }
    assert config["requirement_map"] == {
        "istio": {
            "requires_any": {
                "requirements": [{"provider_name": "origins-0"}, {"allow_missing": {}}]
            }
        }
    }


def test_every_field_of_a_rule() -> None:
    more = (
        ", audiences: [a], fromHeaders: [{name: x-token, prefix: 'T '}], fromParams: [t],"
        " fromCookies: [c], outputPayloadToHeader: x-claims, forwardOriginalToken: true,"
        " outputClaimToHeaders: [{header: x-sub, claim: sub}]"
    )
    provider = _config(_tokens(_signed("i.test", more)))["providers"]["origins-0"]
    assert provider["audiences"] == ["a"]
    assert provider["from_headers"] == [{"name": "x-token", "value_prefix": "T "}]
    assert (provider["from_params"], provider["from_cookies"]) == (["t"], ["c"])
    assert provider["forward_payload_header"] == "x-claims"
    assert provider["forward"] is True
    assert provider["claim_to_headers"] == [{"header_name": "x-sub", "claim_name": "sub"}]


def test_rules_of_all_policies_are_sorted_by_issuer_and_one_good_token_is_enough() -> None:
    config = _config(_tokens(_signed("z")), _tokens(_signed("a"), ROOT))
    assert {n: p["issuer"] for n, p in config["providers"].items()} == {
        "origins-0": "a",
        "origins-1": "z",
    }
    first, second = ({"provider_name": f"origins-{i}"} for i in range(2))
    lenient = [
        {"requires_any": {"requirements": [one, {"allow_missing": {}}]}} for one in (first, second)
    ]
    assert config["requirement_map"]["istio"]["requires_any"]["requirements"] == [
        first,
        second,
        {"requires_all": {"requirements": lenient}},
    ]


def test_listener_and_routes_of_the_same_providers_go_together() -> None:
    """An open connection keeps its old listener, and must keep the old routes with it."""
    names = set()
    for policies in ((), (_tokens(_signed("a")),), (_tokens(_signed("b")),)):
        config = build_sidecar(world(request_authentications=policies), ECHO[0])
        (table,) = config.routes.values()
        chains: Any = config.listeners[NAME]["filter_chains"]
        manager = chains[0]["filters"][0]["typed_config"]
        assert manager["rds"]["route_config_name"] == table["name"]
        rules: Any = table.get("typed_per_filter_config", {})
        assert (JWT in rules) is bool(policies)
        names.add(table["name"])
    assert len(names) == 3


FETCHED = KeySource("i.test", "https://keys.test/k")


def test_keys_that_the_mesh_fetched_are_part_of_the_configuration() -> None:
    policy = _tokens("{issuer: i.test, jwksUri: 'https://keys.test/k'}")
    provider = _config(policy, token_keys={FETCHED: JWKS})["providers"]["origins-0"]
    assert provider["local_jwks"] == {"inline_string": JWKS}
    by_issuer = {KeySource("https://i.test", ""): JWKS}
    provider = _config(_tokens("{issuer: 'https://i.test'}"), token_keys=by_issuer)["providers"]
    assert provider["origins-0"]["local_jwks"] == {"inline_string": JWKS}


def test_without_keys_there_is_one_that_signs_nothing() -> None:
    policy = _tokens("{issuer: i.test, jwksUri: 'https://keys.test/k'}")
    provider = _config(policy)["providers"]["origins-0"]
    assert provider["local_jwks"] == {"inline_string": jwt.NOBODY_S_KEY}
    assert check_jwks(jwt.NOBODY_S_KEY)


def test_new_keys_are_a_new_route_table() -> None:
    policy = _tokens("{issuer: i.test, jwksUri: 'https://keys.test/k'}")
    tables = [
        list(build_sidecar(world(request_authentications=(policy,), token_keys=k), ECHO[0]).routes)
        for k in ({}, {FETCHED: JWKS})
    ]
    assert tables[0] != tables[1]


def test_a_gateway_asks_for_tokens_too() -> None:
    mesh = world(
        request_authentications=(
            _tokens(_signed("a"), ROOT, "{matchLabels: {istio: ingressgateway}}"),
        ),
        gateways=(
            builders.gateway(
                "{selector: {istio: ingressgateway},"
                " servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}"
            ),
        ),
    )
    (table,) = build_outbound(mesh, GATEWAY).routes.values()
    listener: Any = build_gateway(mesh, GATEWAY, "127.60.1.1", {}).listeners["http.80"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert manager["http_filters"][0]["name"] == JWT
    assert manager["rds"]["route_config_name"] == table["name"] != "http.80"


def test_claims_that_are_lists_of_words() -> None:
    config = _config(_tokens(_signed("i.test", ", spaceDelimitedClaims: [roles, scope]")))
    split = config["providers"]["origins-0"]["normalize_payload_in_metadata"]
    assert split == {"space_delimited_claims": ["scope", "permission", "roles"]}


def test_a_gateway_chooses_its_route_again_by_the_token_s_claims() -> None:
    gateways = (builders.gateway(
        "{selector: {istio: ingressgateway}, servers: [{hosts: ['*'],"
        "port: {number: 80, name: http, protocol: HTTP}}]}"
    ),)  # fmt: skip
    mesh = world(gateways=gateways, request_authentications=(_tokens(_signed("i.test"), ROOT),))
    listeners: Any = build_gateway(mesh, GATEWAY, "127.0.0.1", {}).listeners
    (chain,) = listeners["http.80"]["filter_chains"]
    first = chain["filters"][0]["typed_config"]["http_filters"][0]["typed_config"]
    assert first["providers"]["origins-0"]["clear_route_cache"] is True
    ours = _config(_tokens(_signed("i.test")))["providers"]["origins-0"]
    assert "clear_route_cache" not in ours
