"""Route actions of a VirtualService, field by field: YAML in, Envoy's route out."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.retries import DEFAULT_ON
from tests.translate.builders import destination_rule, routes_of, service, world

ECHO = "outbound|80||echo.default.svc.cluster.local"
V1 = "outbound|80|v1|echo.default.svc.cluster.local"
V2 = "outbound|80|v2|echo.default.svc.cluster.local"
OTHER = "outbound|80||other.default.svc.cluster.local"


def _route(http: str, **parts: Any) -> dict[str, Any]:
    return routes_of(f"{{hosts: [echo], http: [{{{http}}}]}}", **parts)[0]


def _action(more: str = "", **parts: Any) -> dict[str, Any]:
    route = _route(f"route: [{{destination: {{host: echo}}}}]{more}", **parts)
    action: dict[str, Any] = route["route"]
    return action


def test_the_only_destination_gets_all_whatever_its_weight() -> None:
    route = _route("route: [{destination: {host: echo, subset: v1}, weight: 0}]")["route"]
    assert route["cluster"] == V1
    assert "weighted_clusters" not in route


def test_weights_are_written_as_they_are_and_zero_is_left_out() -> None:
    route = _route(
        "route: [{destination: {host: echo, subset: v1}, weight: 1},"
        "{destination: {host: echo, subset: v2}, weight: 2}, {destination: {host: other}}]"
    )["route"]
    clusters = route["weighted_clusters"]["clusters"]
    assert [(c["name"], c["weight"]) for c in clusters] == [(V1, 1), (V2, 2)]


@pytest.mark.parametrize(
    ("destination", "cluster"),
    [
        ("{host: two}", "outbound|80||two.default.svc.cluster.local"),
        ("{host: one}", "outbound|80||one.default.svc.cluster.local"),
        ("{host: one, port: {number: 7}}", "outbound|7||one.default.svc.cluster.local"),
        ("{host: one.other.svc.cluster.local}", "outbound|80||one.other.svc.cluster.local"),
        ("{host: nowhere, subset: s}", "outbound|80|s|nowhere.default.svc.cluster.local"),
    ],
)
def test_a_destination_without_port_means_the_request_s(destination: str, cluster: str) -> None:
    services = (service("echo"), service("one", ports=(9000,)), service("two", ports=(80, 81)))
    route = _route(f"route: [{{destination: {destination}}}]", services=services)
    assert route["route"]["cluster"] == cluster


@pytest.mark.parametrize(
    ("written", "emitted"), [("", "0s"), (", timeout: 0s", "0s"), (", timeout: 1500ms", "1.5s")]
)
def test_timeout(written: str, emitted: str) -> None:
    assert _action(written)["timeout"] == emitted


def test_retries_by_default_are_two_without_status_codes() -> None:
    policy = _action()["retry_policy"]
    assert (policy["retry_on"], policy["num_retries"]) == (DEFAULT_ON, 2)
    assert policy["host_selection_retry_max_attempts"] == "5"
    assert [p["name"] for p in policy["retry_host_predicate"]] == [
        "envoy.retry_host_predicates.previous_hosts"
    ]
    assert "retriable_status_codes" not in policy


def test_zero_attempts_mean_no_retry_policy() -> None:
    assert "retry_policy" not in _action(", retries: {attempts: 0}")


def test_retries() -> None:
    policy = _action(
        ", retries: {attempts: 3, perTryTimeout: 250ms, retryOn: '5xx,503', backoff: 10ms,"
        " retryRemoteLocalities: true, retryIgnorePreviousHosts: false}"
    )["retry_policy"]
    assert policy["num_retries"] == 3
    assert policy["per_try_timeout"] == "0.25s"
    assert policy["retry_on"] == "5xx,retriable-status-codes"
    assert policy["retriable_status_codes"] == [503]
    assert policy["retry_back_off"] == {"base_interval": "0.01s"}
    assert policy["retry_priority"]["typed_config"]["update_frequency"] == 2
    assert "retry_host_predicate" not in policy


def test_retries_without_retry_on_keep_the_default_conditions() -> None:
    policy = _action(", retries: {attempts: 1, perTryTimeout: 1s}")["retry_policy"]
    assert policy["retry_on"] == DEFAULT_ON
    assert "retry_host_predicate" in policy


@pytest.mark.parametrize(
    ("rewrite", "emitted"),
    [
        ("{uri: /n}", {"prefix_rewrite": "/n"}),
        ("{authority: n.test}", {"host_rewrite_literal": "n.test"}),
        (
            "{uriRegexRewrite: {match: '^/u/(.*)$', rewrite: '/\\1'}}",
            {"regex_rewrite": {"pattern": {"regex": "^/u/(.*)$"}, "substitution": "/\\1"}},
        ),
    ],
)
def test_rewrite(rewrite: str, emitted: dict[str, Any]) -> None:
    assert _action(f", rewrite: {rewrite}").items() >= emitted.items()


@pytest.mark.parametrize(
    ("rule", "emitted"),
    [
        ("{authority: o.test}", {"host_redirect": "o.test"}),
        ("{uri: /n, redirectCode: 302}", {"path_redirect": "/n", "response_code": "FOUND"}),
        ("{port: 8443}", {"port_redirect": 8443}),
        ("{port: 80}", {}),
        ("{scheme: https, port: 443}", {"scheme_redirect": "https"}),
        ("{scheme: https, port: 80}", {"scheme_redirect": "https", "port_redirect": 80}),
        ("{scheme: https, derivePort: FROM_REQUEST_PORT}",
         {"scheme_redirect": "https", "port_redirect": 80}),
        ("{authority: o.test, derivePort: FROM_PROTOCOL_DEFAULT}", {"host_redirect": "o.test"}),
        ("{redirectCode: 308}", {"response_code": "PERMANENT_REDIRECT"}),
    ],
)  # fmt: skip
def test_redirect(rule: str, emitted: dict[str, Any]) -> None:
    expected = {"response_code": "MOVED_PERMANENTLY", **emitted}
    assert _route(f"redirect: {rule}")["redirect"] == expected


def test_direct_response() -> None:
    route = _route("directResponse: {status: 418, body: {string: teapot}}")
    assert route["direct_response"] == {"status": 418, "body": {"inline_string": "teapot"}}


@pytest.mark.parametrize(
    ("fault", "kind", "parts"),
    [
        ("abort: {httpStatus: 555}", "abort", 0),
        ("abort: {httpStatus: 555, percentage: {value: 12.5}}", "abort", 125000),
        ("delay: {fixedDelay: 2s}", "delay", 0),
        ("delay: {fixedDelay: 2s, percent: 7}", "delay", 70000),
        ("delay: {fixedDelay: 2s, percent: 7, percentage: {value: 100}}", "delay", 1000000),
    ],
)
def test_fault(fault: str, kind: str, parts: int) -> None:
    route = _route(f"fault: {{{fault}}}, route: [{{destination: {{host: echo}}}}]")
    config = route["typed_per_filter_config"]["envoy.filters.http.fault"][kind]
    assert config["percentage"] == {"numerator": parts, "denominator": "MILLION"}
    assert config.get("http_status") == (555 if kind == "abort" else None)
    assert config.get("fixed_delay") == ("2s" if kind == "delay" else None)


@pytest.mark.parametrize(
    ("mirror", "shares"),
    [
        ("mirror: {host: other}", [(OTHER, 1000000)]),
        ("mirror: {host: other}, mirrorPercentage: {value: 10}", [(OTHER, 100000)]),
        ("mirror: {host: other}, mirrorPercentage: {value: 0}", []),
        (
            "mirrors: [{destination: {host: other}, percentage: {value: 1}},"
            "{destination: {host: echo, subset: v2}}]",
            [(OTHER, 10000), (V2, 1000000)],
        ),
    ],
)
def test_mirror(mirror: str, shares: list[tuple[str, int]]) -> None:
    policies = _action(f", {mirror}").get("request_mirror_policies", [])
    result = [(p["cluster"], p["runtime_fraction"]["default_value"]["numerator"]) for p in policies]
    assert result == shares
    assert all(p["disable_shadow_host_suffix_append"] for p in policies)
    assert not any(p["trace_sampled"] for p in policies)


def test_header_changes_sets_first_then_adds_by_name() -> None:
    route = _route(
        "headers: {request: {add: {b: '2', a: '1'}, set: {z: '0'}, remove: [gone]},"
        "response: {set: {x-app: replaced}}},"
        "route: [{destination: {host: echo}, headers: {request: {set: {mine: '3'}}}}]"
    )
    added = [(h["header"]["key"], h["append_action"]) for h in route["request_headers_to_add"]]
    assert added == [
        ("z", "OVERWRITE_IF_EXISTS_OR_ADD"),
        ("a", "APPEND_IF_EXISTS_OR_ADD"),
        ("b", "APPEND_IF_EXISTS_OR_ADD"),
        ("mine", "OVERWRITE_IF_EXISTS_OR_ADD"),
    ]
    assert route["request_headers_to_remove"] == ["gone"]
    assert route["response_headers_to_add"][0]["header"] == {"key": "x-app", "value": "replaced"}


def test_header_changes_of_one_of_several_destinations_stay_with_it() -> None:
    route = _route(
        "route: [{destination: {host: echo, subset: v1}, weight: 1},"
        "{destination: {host: echo, subset: v2}, weight: 1,"
        " headers: {request: {set: {a: '1', host: two.test}}}}]"
    )
    first, second = route["route"]["weighted_clusters"]["clusters"]
    assert "request_headers_to_add" not in first
    assert [h["header"]["key"] for h in second["request_headers_to_add"]] == ["a"]
    assert second["host_rewrite_literal"] == "two.test"


@pytest.mark.parametrize(
    ("more", "host"),
    [
        ("headers: {request: {set: {Host: a.test}}}, ", "a.test"),
        ("headers: {request: {add: {':authority': b.test}}}, ", "b.test"),
        ("headers: {request: {set: {host: a.test}}}, rewrite: {authority: c.test}, ", "c.test"),
        ("", "d.test"),
    ],
)
def test_a_changed_host_header_is_a_host_rewrite(more: str, host: str) -> None:
    route = _route(
        f"{more}route: [{{destination: {{host: echo}},"
        "headers: {request: {set: {host: d.test, ':path': /no}}}}]"
    )
    assert route["route"]["host_rewrite_literal"] == host
    assert "request_headers_to_add" not in route


@pytest.mark.parametrize(
    ("written", "emitted"),
    [
        ("httpHeaderName: x-user", {"header": {"header_name": "x-user"}}),
        ("httpCookie: {name: sid, ttl: 60s}", {"cookie": {"name": "sid", "ttl": "60s"}}),
        ("useSourceIp: true", {"connection_properties": {"source_ip": True}}),
        ("httpQueryParameterName: q", {"query_parameter": {"name": "q"}}),
    ],
)
def test_consistent_hash_puts_its_policy_on_routes_to_the_destination(
    written: str, emitted: dict[str, Any]
) -> None:
    rule = destination_rule(
        f"{{host: echo, trafficPolicy: {{loadBalancer: {{consistentHash: {{{written}}}}}}}}}"
    )
    action = _action(destination_rules=(rule,))
    assert action["hash_policy"] == [emitted]
    default = routes_of("{hosts: [other], http: []}", destination_rules=(rule,))[0]["route"]
    assert default["hash_policy"] == [emitted]


def test_equal_worlds_make_equal_configuration_in_equal_order() -> None:
    from meshproof.translate.envoy_config import build_outbound
    from tests.translate.builders import CLIENT

    first = build_outbound(world(destination_rules=(destination_rule(),)), CLIENT)
    second = build_outbound(world(destination_rules=(destination_rule(),)), CLIENT)
    assert repr(first) == repr(second)
