"""Whether a rule set that the translator builds allows a request."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshproof.explain.connection import AuthzRequest, Peer
from meshproof.explain.rbac import evaluate
from meshproof.explain.request import Request
from meshproof.model.authorization_policy import AuthorizationPolicy
from meshproof.translate.authz_conditions import AuthzContext
from meshproof.translate.rbac import build_route_config
from meshproof.translate.world import Named

CLIENT = Peer("spiffe://cluster.local/ns/shop/sa/client", local_ip="127.20.1.1", tls=True)
PLAIN = Peer(local_ip="127.20.1.1")
CLAIMS = {
    "envoy.filters.http.jwt_authn": {"payload": {"iss": "me", "sub": "you", "roles": ["a"]}},
    "envoy.filters.a.b": {"c": "def"},
}


def rules(text: str, port: int = 8080) -> Any:
    spec = AuthorizationPolicy.model_validate(yaml.safe_load(text))
    result: Any = build_route_config([Named("p", "shop", spec)], AuthzContext(port))
    (filter_,) = result.values()
    return filter_["rbac"]["rules"]


def authz_request(
    peer: Peer = CLIENT, metadata: dict[str, Any] | None = None, **more: str
) -> AuthzRequest:
    parts = {"method": "GET", "authority": "echo", "path": "/a/b?q=1", **more}
    request = Request(parts["method"], "http", parts["authority"], parts["path"],
                      (("x-who", "jason"),))  # fmt: skip
    return AuthzRequest(peer, request, metadata or {})


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ("{from: [{source: {principals: [cluster.local/ns/shop/sa/client]}}]}", True),
        ("{from: [{source: {principals: ['*/client']}}]}", True),
        ("{from: [{source: {principals: ['cluster.local/*']}}]}", True),
        ("{from: [{source: {principals: ['*']}}]}", True),
        ("{from: [{source: {principals: ['*/other']}}]}", False),
        ("{from: [{source: {notPrincipals: ['*/client']}}]}", False),
        ("{from: [{source: {namespaces: [shop]}}]}", True),
        ("{from: [{source: {namespaces: [sh]}}]}", False),
        ("{from: [{source: {serviceAccounts: [client]}}]}", True),
        ("{from: [{source: {ipBlocks: [127.0.0.0/8]}}]}", True),
        ("{from: [{source: {notIpBlocks: [127.0.0.1]}}]}", False),
        ("{to: [{operation: {methods: [GET, PUT]}}]}", True),
        ("{to: [{operation: {notMethods: [GET]}}]}", False),
        ("{to: [{operation: {paths: [/a/b]}}]}", True),
        ("{to: [{operation: {paths: ['/a*']}}]}", True),
        ("{to: [{operation: {paths: ['*/b']}}]}", True),
        ("{to: [{operation: {paths: ['/a/{*}']}}]}", True),
        ("{to: [{operation: {paths: ['/{*}']}}]}", False),
        ("{to: [{operation: {paths: ['/{**}']}}]}", True),
        ("{to: [{operation: {hosts: [ECHO]}}]}", True),
        ("{to: [{operation: {ports: ['8080']}}]}", True),
        ("{to: [{operation: {ports: ['9090']}}]}", False),
        ("{when: [{key: 'request.headers[x-who]', values: ['ja*']}]}", True),
        ("{when: [{key: 'request.headers[x-who]', notValues: [jason]}]}", False),
        ("{when: [{key: destination.ip, values: [127.20.0.0/16]}]}", True),
        ("{when: [{key: request.auth.principal, values: [me/you]}]}", True),
        ("{when: [{key: 'request.auth.claims[roles]', values: [a]}]}", True),
        ("{when: [{key: 'request.auth.claims[roles]', values: [b]}]}", False),
        ("{when: [{key: 'experimental.envoy.filters.a.b[c]', values: ['d*']}]}", True),
        ("{when: [{key: 'experimental.envoy.filters.a.b[c]', values: ['[d]']}]}", False),
        ("{when: [{key: 'experimental.envoy.filters.a.x[c]', values: ['*']}]}", False),
        ("{}", True),
    ],
)
def test_every_field(rule: str, fits: bool) -> None:
    result = evaluate(rules(f"{{action: DENY, rules: [{rule}]}}"), authz_request(metadata=CLAIMS))
    assert result.allowed is not fits
    assert (result.key == "ns[shop]-policy[p]-rule[0]") is fits
    assert bool(result.reasons) is not fits


def test_allow_wants_a_rule_that_fits_and_says_what_each_wanted() -> None:
    text = "{rules: [{to: [{operation: {methods: [PUT]}}]}, {to: [{operation: {methods: [GET]}}]}]}"
    assert evaluate(rules(text), authz_request()).key == "ns[shop]-policy[p]-rule[1]"
    result = evaluate(rules(text), authz_request(method="POST"))
    assert not result.allowed
    assert [why for _, why in result.reasons] == [
        'the method is "POST", wanted "PUT"',
        'the method is "POST", wanted "GET"',
    ]


def test_what_is_found_is_said_once() -> None:
    text = "{rules: [{to: [{operation: {methods: [PUT, POST]}}]}]}"
    (reason,) = evaluate(rules(text), authz_request()).reasons
    assert reason[1] == 'the method is "GET", wanted "PUT" or "POST"'


def test_a_plain_caller_is_nobody() -> None:
    allow = rules("{rules: [{from: [{source: {principals: ['*']}}]}]}")
    result = evaluate(allow, authz_request(PLAIN))
    assert not result.allowed
    assert "no identity" in result.reasons[0][1]
    deny = rules("{action: DENY, rules: [{from: [{source: {notPrincipals: [x]}}]}]}")
    assert not evaluate(deny, authz_request(PLAIN)).allowed


def test_without_rules_allow_denies_all_and_audit_denies_nobody() -> None:
    assert not evaluate(rules("{}"), authz_request()).allowed
    assert evaluate(rules("{action: AUDIT, rules: [{}]}"), authz_request()).allowed


def test_the_client_s_own_address_is_the_last_forwarded() -> None:
    deny = rules("{action: DENY, rules: [{from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]}]}")
    request = Request("GET", "http", "echo", "/", (("x-forwarded-for", "1.2.3.4, 10.0.0.1"),))
    assert not evaluate(deny, AuthzRequest(CLIENT, request)).allowed
    assert evaluate(deny, authz_request()).allowed


def test_a_form_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="unknown form: matcher"):
        evaluate({"policies": {"p": {"permissions": [{"matcher": {}}]}}}, authz_request())
