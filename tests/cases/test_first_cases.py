"""First cases: each route and each policy once, by a request that visits it."""

from __future__ import annotations

import pytest

from meshproof.cases.case import RuleSet
from meshproof.cases.first_cases import build_cases
from meshproof.cases.first_matches import text_of
from meshproof.cases.names import find_unknown_names
from tests.cases.mesh_files import case, planner, read, run

ROUTE = "route: [{destination: {host: echo}}]"


def cases(rules: str) -> dict[str, tuple[str, str]]:
    """Sender and method with URL of each case by its name."""
    written = build_cases(planner(rules).plan(RuleSet()))
    requests = {c["name"]: c["request"] for c in written}
    return {n: (r["from"], f"{r.get('method', 'GET')} {r['url']}") for n, r in requests.items()}


def gateway(number: int, host: str = "*", selector: str = "istio: ingressgateway") -> str:
    return f"""
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gate, namespace: shop}}
spec:
  selector: {{{selector}}}
  servers: [{{port: {{number: {number}, name: http, protocol: HTTP}}, hosts: ["{host}"]}}]
"""


def virtual_service(spec: str) -> str:
    return f"""
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: echo, namespace: shop}}
spec: {spec}
"""


def test_a_gateways_own_port_and_host() -> None:
    rule = virtual_service(f'{{hosts: ["*"], gateways: [gate], http: [{{{ROUTE}}}]}}')
    assert cases(gateway(8080) + rule) == {
        "echo 1: everything else": ("gateway", "GET http://any.test:8080/")
    }
    assert cases(gateway(80, "shop.test") + rule) == {
        "echo 1: everything else": ("gateway", "GET http://shop.test/")
    }


def test_a_match_of_port_authority_and_query() -> None:
    match = "{authority: {exact: echo.shop}, queryParams: {a: {exact: x}}}"
    rule = virtual_service(f"{{hosts: [echo], http: [{{match: [{match}], {ROUTE}}}]}}")
    assert cases(rule) == {
        "echo 1: exact echo.shop, a x": ("shop/client", "GET http://echo.shop/?a=x")
    }


def test_a_match_of_the_senders_labels_is_met_by_one_that_has_them() -> None:
    match = "{sourceLabels: {app: other}}"
    rule = virtual_service(f"{{hosts: [echo], http: [{{match: [{match}], {ROUTE}}}]}}")
    assert cases(rule)["echo 1: everything else"] == ("shop/other", "GET http://echo/")


KUBERNETES_GATEWAY = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: door, namespace: shop}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 8000, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: echo, namespace: shop}
spec:
  parentRefs: [{name: door}]
  hostnames: [shop.test]
  rules:
    - matches: [{path: {type: PathPrefix, value: /a}, headers: [{name: X-A, value: "1"}]}]
      backendRefs: [{name: echo, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: inner, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: echo}]
  rules: [{matches: [{method: PUT}], backendRefs: [{name: echo, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: calls, namespace: shop}
spec:
  parentRefs: [{name: door}]
  hostnames: [calls.test]
  rules:
    - matches: [{method: {service: shop.Echo, method: Say}}]
      backendRefs: [{name: echo, port: 80}]
"""


def test_routes_of_the_gateway_api() -> None:
    assert cases(KUBERNETES_GATEWAY) == {
        "echo 1: prefix /a, X-A 1": ("shop/door-istio", "GET http://shop.test:8000/a"),
        "inner 1: exact PUT": ("shop/client", "PUT http://echo.shop/"),
        "calls 1: exact POST, exact /shop.Echo/Say": (
            "shop/door-istio",
            "POST http://calls.test:8000/shop.Echo/Say",
        ),
    }


@pytest.mark.parametrize("sender", ["shop/door-istio", "door-istio"])
def test_a_case_may_be_sent_to_any_gateway(sender: str) -> None:
    request = f'{{from: {sender}, url: "http://shop.test:8000/a", headers: {{x-a: "1"}}}}'
    result = run(case("{workload: echo}", request), KUBERNETES_GATEWAY).results[0]
    assert result.lines == []


def test_an_unknown_sender_is_told_the_gateways_as_well() -> None:
    one, _ = read(case("{workload: echo}", "{from: nobody, url: 'http://echo/'}"))
    mesh = planner(KUBERNETES_GATEWAY).plan(RuleSet())
    (problem,) = find_unknown_names(one[0], mesh)
    assert "gateways: gateway, istio-system/istio-ingressgateway, shop/door-istio" in str(problem)


def test_a_route_that_no_request_is_thought_of_for_has_no_case() -> None:
    other = "{match: [{headers: {x: {regex: '(?i)[^a]{3}b'}}}], " + ROUTE + "}"
    rule = virtual_service(f"{{hosts: [echo], http: [{other}, {{{ROUTE}}}]}}")
    assert list(cases(rule)) == ["echo 2: everything else"]


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        ("^/v1(/.*)?$", "/v1"),
        ("/(a|b)/x", "/a/x"),
        ("[a-z]+", "a"),
        (r"/\d+", "/1"),
        ("^a{2}$", ""),
    ],
)
def test_a_text_that_an_expression_takes(regex: str, text: str) -> None:
    assert text_of({"regex": regex}) == text
