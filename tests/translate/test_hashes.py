"""Which consistentHash a route uses, and its effect on retries (Istio: route.go)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.translate.builders import destination_rule, routes_of

TOP = "loadBalancer: {consistentHash: {httpHeaderName: top}}"
PORT = "portLevelSettings: [{port: {number: 80}, " + TOP.replace("top", "port") + "}]"
OWN = "loadBalancer: {consistentHash: {httpHeaderName: own}}"
OWN_PORT = PORT.replace("Name: port", "Name: own-port")


def _headers(action: dict[str, Any]) -> list[str]:
    return [p["header"]["header_name"] for p in action.get("hash_policy", [])]


def _rule(policy: str, subset: str = "") -> Any:
    own = f", trafficPolicy: {{{subset}}}" if subset else ""
    return destination_rule(
        f"{{host: echo, trafficPolicy: {{{policy}}},"
        f"subsets: [{{name: v1, labels: {{version: v1}}{own}}}, {{name: v2, labels: {{}}}}]}}"
    )


def _action(route: str, rule: Any) -> dict[str, Any]:
    routes: dict[str, Any] = routes_of(
        f"{{hosts: [echo], http: [{{route: [{route}]}}]}}", destination_rules=(rule,)
    )[0]["route"]
    return routes


V1 = "{destination: {host: echo, subset: v1}}"
V1_80 = "{destination: {host: echo, subset: v1, port: {number: 80}}}"
BOTH = (
    "{destination: {host: echo, subset: v1}, weight: 50},"
    "{destination: {host: echo, subset: v2}, weight: 50}"
)


@pytest.mark.parametrize(
    ("route", "policy", "subset", "headers"),
    [
        (V1, TOP, "", ["top"]),
        (V1, TOP, OWN, ["own"]),
        (V1, PORT, "", []),
        (V1_80, PORT, "", ["port"]),
        (V1_80, f"{TOP}, {PORT}", OWN, ["own"]),
        (V1_80, f"{TOP}, {PORT}", f"{OWN}, {OWN_PORT}", ["own-port"]),
        (V1, f"{TOP}, {PORT}", f"{OWN}, {OWN_PORT}", ["own"]),
        (BOTH, TOP, OWN, ["own", "top"]),
        (BOTH.replace("weight: 50}", "weight: 0}", 1), TOP, OWN, ["top"]),
    ],
)
def test_the_narrowest_hash_counts_and_ports_only_where_they_are_written(
    route: str, policy: str, subset: str, headers: list[str]
) -> None:
    assert _headers(_action(route, _rule(policy, subset))) == headers


def test_the_default_route_knows_its_port() -> None:
    routes = routes_of("{hosts: [other], http: []}", destination_rules=(_rule(PORT),))[0]["route"]
    assert _headers(routes) == ["port"]


def test_a_retry_may_go_to_the_same_host_only_where_the_hash_of_one_destination_chose_it() -> None:
    assert "retry_host_predicate" not in _action(V1, _rule(TOP))["retry_policy"]
    assert "retry_host_predicate" in _action(BOTH, _rule(TOP))["retry_policy"]
    default = routes_of("{hosts: [other], http: []}", destination_rules=(_rule(TOP),))[0]["route"]
    assert "retry_host_predicate" in default["retry_policy"]


@pytest.mark.parametrize(("written", "elsewhere"), [("true", True), ("false", False)])
def test_a_written_retry_ignore_previous_hosts_beats_the_hash(
    written: str, *, elsewhere: bool
) -> None:
    rule = _rule(TOP)
    routes = routes_of(
        f"{{hosts: [echo], http: [{{route: [{V1}],"
        f"retries: {{attempts: 1, retryIgnorePreviousHosts: {written}}}}}]}}",
        destination_rules=(rule,),
    )[0]["route"]
    assert ("retry_host_predicate" in routes["retry_policy"]) is elsewhere
