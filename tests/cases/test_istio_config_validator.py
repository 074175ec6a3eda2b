"""Cases in the format of istio-config-validator, judged by the route that takes a request."""

from __future__ import annotations

import pytest

from meshproof.cases.results import Outcome
from meshproof.cases.run import run_static
from tests.cases.mesh_files import planner, read

RULES = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: front, namespace: web}
spec:
  gateways: [public]
  hosts: [www.shop.test, shop.test]
  http:
    - match: [{uri: {prefix: /old}}]
      redirect: {uri: /new, authority: www.shop.test}
    - match: [{uri: {regex: "/cart(/.*)?"}, method: {regex: "(GET|PUT)"}}]
      route: [{destination: {host: cart.cart.svc.cluster.local, port: {number: 8000}}}]
      headers: {request: {set: {x-from: front}}}
    - match: [{uri: {prefix: /beta}, headers: {x-user: {exact: bot}}}]
      route: [{destination: {host: beta.web.svc.cluster.local}}]
      fault: {abort: {httpStatus: 403, percentage: {value: 100}}}
    - match: [{uri: {prefix: /pay}}]
      delegate: {name: pay}
    - match: [{uri: {regex: "/stock(/.*)?"}}]
      delegate: {name: stock, namespace: web}
    - match: [{uri: {prefix: /later}}]
      delegate: {name: not-there}
    - route: [{destination: {host: rest.web.svc.cluster.local}}]
      rewrite: {uri: /all}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: pay, namespace: web}
spec: {http: [{match: [{uri: {prefix: /pay/card}}], route: [{destination: {host: card}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stock, namespace: web}
spec: {http: [{match: [{uri: {regex: "/stock(/.*)?"}}], route: [{destination: {host: stock}}]}]}
"""
CASE = """
testCases:
  - description: one
    wantMatch: {match}
    request: {{authority: [shop.test], method: [{method}], uri: ["{uri}"], headers: {{{headers}}}}}
    {field}
"""
CART = "route: [{destination: {host: cart.cart.svc.cluster.local, port: {number: 8000}}}]"


def judge(
    uri: str, field: str, *, match: bool = True, method: str = "GET", headers: str = ""
) -> tuple[Outcome, list[str]]:
    text = CASE.format(
        match=str(match).lower(), method=method, uri=uri, field=field, headers=headers
    )
    cases, problems = read(text)
    assert problems == []
    (result,) = run_static(cases, planner("", RULES)).results
    return result.outcome, list(result.warnings)


FITS = [
    ("/cart", CART),
    ("/cart/1?a=b", CART),
    ("/cart", "headers: {request: {set: {x-from: front}}}"),
    ("/old/x", "redirect: {uri: /new, authority: www.shop.test}"),
    ("/beta", "route: [{destination: {host: rest.web.svc.cluster.local}}]"),
    ("/any", "rewrite: {uri: /all}"),
    ("/pay/card", "delegate: {name: pay}"),
    ("/pay/card", "route: [{destination: {host: card}}]"),
    ("/later", "delegate: {name: not-there}"),
]


@pytest.mark.parametrize(("uri", "field"), FITS)
def test_the_route_that_takes_the_request_has_the_field(uri: str, field: str) -> None:
    assert judge(uri, field)[0] is Outcome.PASSED


@pytest.mark.parametrize(("uri", "field"), FITS)
def test_turned_round_it_fails(uri: str, field: str) -> None:
    assert judge(uri, field, match=False)[0] is Outcome.FAILED


def test_another_method_goes_to_another_route() -> None:
    assert judge("/cart", CART, method="POST")[0] is Outcome.FAILED
    assert judge("/cart", CART, method="POST", match=False)[0] is Outcome.PASSED


def test_headers_count() -> None:
    fault = "fault: {abort: {httpStatus: 403, percentage: {value: 100}}}"
    assert judge("/beta", fault, headers="x-user: bot")[0] is Outcome.PASSED
    assert judge("/beta", fault, headers="x-user: human")[0] is Outcome.FAILED


def test_every_combination_is_a_request() -> None:
    text = """
    testCases:
      - description: both
        wantMatch: true
        request: {authority: [shop.test, www.shop.test], method: [GET, PUT], uri: [/cart, /cart/]}
        route: [{destination: {host: cart.cart.svc.cluster.local, port: {number: 8000}}}]
    ---
    testCases:
      - description: another document
        wantMatch: true
        request: {authority: [shop.test], method: [GET], uri: [/]}
        rewrite: {uri: /all}
    """
    cases, problems = read(text)
    assert (len(cases), problems) == (9, [])
    assert all(r.outcome is Outcome.PASSED for r in run_static(cases, planner("", RULES)).results)


def test_where_istio_drops_a_delegates_route_there_is_a_warning() -> None:
    """Two expressions: Istio does not compare them, and drops the route (its virtualservice.go)."""
    outcome, warnings = judge("/stock/1", "route: [{destination: {host: stock}}]")
    assert outcome is Outcome.PASSED
    (warning,) = warnings
    assert "VirtualService web/stock spec.http[0]" in warning
    assert "gives such a request to VirtualService web/front spec.http[6]" in warning
