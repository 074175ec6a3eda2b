"""AuthorizationPolicy: from YAML to Envoy's RBAC."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.envoy_config import build_sidecar
from tests.translate.builders import ECHO, world
from tests.translate.policy_builders import ROOT, policy

NAME = "inbound|8080||"
KEY = "ns[default]-policy[p]-rule[0]"
ANY = {"any": True}
ALL_OF_ANYTHING = [{"and_rules": {"rules": [ANY]}}]


def _table(*policies: Any, **parts: Any) -> dict[str, Any]:
    table: dict[str, Any] = build_sidecar(
        world(authorization_policies=policies, **parts), ECHO[0]
    ).routes
    result: dict[str, Any] = table[NAME]
    return result


def _rules(*policies: Any, action: str = "allow", **parts: Any) -> dict[str, Any]:
    """The rule set of one action on the inbound routes."""
    filters = _table(*policies, **parts)["typed_per_filter_config"]
    rules: dict[str, Any] = filters[f"envoy.filters.http.rbac.{action}"]["rbac"]["rules"]
    return rules


def _rule(text: str, **how: Any) -> dict[str, Any]:
    rules: dict[str, Any] = _rules(policy(f"{{rules: [{text}]}}"), **how)["policies"][KEY]
    return rules


def _permission(operation: str) -> Any:
    """What one operation asks, without the words around."""
    (rule,) = _rule(f"{{to: [{{operation: {operation}}}]}}")["permissions"]
    return rule["and_rules"]["rules"]


def _principal(source: str) -> Any:
    (rule,) = _rule(f"{{from: [{{source: {source}}}]}}")["principals"]
    return rule["and_ids"]["ids"]


def _either(*rules: Any) -> dict[str, Any]:
    return {"or_rules": {"rules": list(rules)}}


def _one_of(*ids: Any) -> dict[str, Any]:
    return {"or_ids": {"ids": list(ids)}}


def _named(matcher: Any) -> dict[str, Any]:
    return {"authenticated": {"principal_name": matcher}}


def test_without_a_policy_routes_carry_nothing() -> None:
    assert "typed_per_filter_config" not in _table()


def test_policies_travel_with_routes_and_never_with_listeners() -> None:
    plain = build_sidecar(world(), ECHO[0])
    denied = build_sidecar(world(authorization_policies=(policy("{}"),)), ECHO[0])
    assert plain.listeners == denied.listeners
    assert plain.routes != denied.routes
    chain: Any = plain.listeners[NAME]["filter_chains"]
    names = [f["name"] for f in chain[0]["filters"][0]["typed_config"]["http_filters"]]
    assert names == [
        "envoy.filters.http.header_to_metadata",
        "envoy.filters.http.rbac.audit",
        "envoy.filters.http.rbac.deny",
        "envoy.filters.http.rbac.allow",
        "envoy.filters.http.router",
    ]


def test_each_action_has_a_rule_set_of_its_own() -> None:
    rules = "rules: [{to: [{operation: {methods: [GET]}}]}]"
    policies = [policy(f"{{action: {a}, {rules}}}", a) for a in ("ALLOW", "DENY", "AUDIT")]
    actions = {a: _rules(*policies, action=a)["action"] for a in ("allow", "deny", "audit")}
    assert actions == {"allow": "ALLOW", "deny": "DENY", "audit": "LOG"}
    assert list(_rules(*policies, action="deny")["policies"]) == [
        "ns[default]-policy[DENY]-rule[0]"
    ]


def test_no_rules_match_never_and_an_empty_rule_always() -> None:
    assert _rules(policy("{}"))["policies"][KEY] == {
        "permissions": [{"not_rule": ANY}],
        "principals": [{"not_id": ANY}],
    }
    assert _rule("{}") == {
        "permissions": ALL_OF_ANYTHING,
        "principals": [{"and_ids": {"ids": [ANY]}}],
    }


@pytest.mark.parametrize(
    ("selector", "namespace", "holds"),
    [
        ("{}", "default", True),
        ("{selector: {matchLabels: {app: echo, version: v1}}}", "default", True),
        ("{selector: {matchLabels: {version: v2}}}", "default", False),
        ("{}", "other", False),
        ("{}", ROOT, True),
        ("{selector: {matchLabels: {app: echo}}}", ROOT, True),
        ("{selector: {matchLabels: {app: x}}}", ROOT, False),
    ],
)
def test_which_workloads_a_policy_is_for(selector: str, namespace: str, holds: bool) -> None:
    table = _table(policy(selector, namespace=namespace))
    assert ("typed_per_filter_config" in table) is holds


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("{methods: [GET, '*']}", _either(
            {"header": {"name": ":method", "string_match": {"exact": "GET"}}},
            {"header": {"name": ":method", "present_match": True}},
        )),
        ("{hosts: ['*.test']}", _either({"header": {
            "name": ":authority", "string_match": {"suffix": ".test", "ignore_case": True},
        }})),
        ("{paths: [/a, '/b*', '*/c', '*']}", _either(
            {"url_path": {"path": {"exact": "/a"}}},
            {"url_path": {"path": {"prefix": "/b"}}},
            {"url_path": {"path": {"suffix": "/c"}}},
            {"url_path": {"path": {"safe_regex": {"regex": ".+"}}}},
        )),
        ("{ports: ['8080', '80']}", _either(ANY, {"not_rule": ANY})),
    ],
)  # fmt: skip
def test_an_operation(operation: str, expected: Any) -> None:
    assert _permission(operation) == [expected]


def test_a_path_template_is_envoy_s() -> None:
    ((rule,),) = [r["or_rules"]["rules"] for r in _permission("{paths: ['/a/{*}/b/{**}']}")]
    assert rule["uri_template"]["typed_config"]["path_template"] == "/a/*/b/**"


def test_fields_and_together_and_not_values_are_taken_away() -> None:
    path = {"url_path": {"path": {"prefix": "/"}}}
    secret = {"url_path": {"path": {"exact": "/secret"}}}
    get = {"header": {"name": ":method", "string_match": {"exact": "GET"}}}
    permission = _permission("{methods: [GET], paths: ['/*'], notPaths: [/secret]}")
    assert permission == [_either(get), _either(path), {"not_rule": _either(secret)}]


def test_sources_or_and_so_do_operations() -> None:
    rule = _rule(
        "{from: [{source: {namespaces: [a]}}, {source: {namespaces: [b]}}],"
        " to: [{operation: {methods: [GET]}}, {operation: {methods: [PUT]}}]}"
    )
    assert len(rule["principals"]) == len(rule["permissions"]) == 2


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{principals: [cluster.local/ns/a/sa/b, '*']}", _one_of(
            _named({"exact": "spiffe://cluster.local/ns/a/sa/b"}),
            _named({"safe_regex": {"regex": ".+"}}),
        )),
        ("{principals: ['*/sa/b', 'cluster.local/*']}", _one_of(
            _named({"safe_regex": {"regex": "spiffe://.*/sa/b"}}),
            _named({"prefix": "spiffe://cluster.local/"}),
        )),
        ("{namespaces: [a, 'b-*']}", _one_of(
            _named({"safe_regex": {"regex": ".*/ns/a/.*"}}),
            _named({"safe_regex": {"regex": ".*/ns/b-.*/.*"}}),
        )),
        ("{serviceAccounts: [b, a/b]}", _one_of(
            _named({"safe_regex": {"regex": "spiffe://.+/ns/default/(.+/|)sa/b(/.+)?"}}),
            _named({"safe_regex": {"regex": "spiffe://.+/ns/a/(.+/|)sa/b(/.+)?"}}),
        )),
        ("{ipBlocks: [10.0.0.0/8], remoteIpBlocks: [10.1.2.3]}", None),
        ("{notNamespaces: [a]}", {"not_id": _one_of(
            _named({"safe_regex": {"regex": ".*/ns/a/.*"}}),
        )}),
    ],
)  # fmt: skip
def test_a_source(source: str, expected: Any) -> None:
    principal = _principal(source)
    if expected is None:
        assert principal == [
            _one_of({"remote_ip": {"address_prefix": "10.1.2.3", "prefix_len": 32}}),
            _one_of({"direct_remote_ip": {"address_prefix": "10.0.0.0", "prefix_len": 8}}),
        ]
    else:
        assert principal == [expected]


def _claims(value: str) -> list[Any]:
    """The matchers of issuer and subject that a requestPrincipal makes."""
    ((result,),) = [i["or_ids"]["ids"] for i in _principal(f"{{requestPrincipals: ['{value}']}}")]
    parts = [part["metadata"] for part in result["and_ids"]["ids"]]
    assert all(part["filter"] == "envoy.filters.http.jwt_authn" for part in parts)
    assert [part["path"] for part in parts] == [
        [{"key": "payload"}, {"key": "iss"}],
        [{"key": "payload"}, {"key": "sub"}],
    ]
    return [part["value"]["string_match"] for part in parts]


@pytest.mark.parametrize(
    ("value", "issuer", "subject"),
    [
        ("https://i.test/me", {"exact": "https://i.test"}, {"exact": "me"}),
        ("*", {"safe_regex": {"regex": ".+"}}, {"safe_regex": {"regex": ".+"}}),
        ("i/*", {"exact": "i"}, {"safe_regex": {"regex": ".+"}}),
        ("i/a*", {"exact": "i"}, {"prefix": "a"}),
        ("*/me", {"safe_regex": {"regex": ".+"}}, {"exact": "me"}),
        ("*.test/me", {"suffix": ".test"}, {"exact": "me"}),
        ("*me", {"safe_regex": {"regex": ".+"}}, {"suffix": "me"}),
        ("i*", {"prefix": "i"}, {"safe_regex": {"regex": ".+"}}),
    ],
)
def test_a_request_principal_is_issuer_and_subject(value: str, issuer: Any, subject: Any) -> None:
    assert _claims(value) == [issuer, subject]


@pytest.mark.parametrize(
    ("key", "value", "place", "expected"),
    [
        ("source.namespace", "a", "ids", _named({"safe_regex": {"regex": ".*/ns/a/.*"}})),
        ("source.principal", "a", "ids", _named({"exact": "spiffe://a"})),
        ("source.ip", "10.0.0.1", "ids",
         {"direct_remote_ip": {"address_prefix": "10.0.0.1", "prefix_len": 32}}),
        ("request.headers[x-a]", "1*", "ids",
         {"header": {"name": "x-a", "string_match": {"prefix": "1"}}}),
        ("destination.port", "8080", "rules", ANY),
        ("destination.ip", "10.0.0.0/8", "rules",
         {"destination_ip": {"address_prefix": "10.0.0.0", "prefix_len": 8}}),
        ("connection.sni", "a.test", "rules", {"requested_server_name": {"exact": "a.test"}}),
    ],
)  # fmt: skip
def test_a_condition(key: str, value: str, place: str, expected: Any) -> None:
    rule = _rule(f"{{when: [{{key: '{key}', values: ['{value}']}}]}}")
    side = rule["principals" if place == "ids" else "permissions"][0][f"and_{place}"][place]
    assert side == [{f"or_{place}": {place: [expected]}}]


def test_a_claim_is_a_text_or_a_list_that_holds_it() -> None:
    rule = _rule("{when: [{key: 'request.auth.claims[a][b]', values: [x]}]}")
    ((claim,),) = [i["or_ids"]["ids"] for p in rule["principals"] for i in p["and_ids"]["ids"]]
    metadata = claim["metadata"]
    assert [step["key"] for step in metadata["path"]] == ["payload", "a", "b"]
    exact = {"string_match": {"exact": "x"}}
    assert metadata["value"]["or_match"]["value_matchers"] == [
        exact, {"list_match": {"one_of": exact}},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "matcher"),
    [
        ("update*", {"string_match": {"prefix": "update"}}),
        ("[insert]", {"list_match": {"one_of": {"string_match": {"exact": "insert"}}}}),
    ],
)
def test_what_another_filter_has_noted_is_of_the_request(value: str, matcher: Any) -> None:
    key = "experimental.envoy.filters.network.mysql_proxy[db.table]"
    rule = _rule(f"{{when: [{{key: '{key}', values: ['{value}']}}]}}")
    (permission,) = rule["permissions"]
    assert permission["and_rules"]["rules"] == [
        _either(
            {
                "metadata": {
                    "filter": "envoy.filters.network.mysql_proxy",
                    "path": [{"key": "db.table"}],
                    "value": matcher,
                }
            }
        )
    ]
    assert rule["principals"] == [{"and_ids": {"ids": [ANY]}}]
