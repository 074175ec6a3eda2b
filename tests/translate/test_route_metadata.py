"""Route metadata: the rule and the field that a route stems from."""

from __future__ import annotations

from typing import Any

from meshproof.admission.store import Store
from meshproof.embedded.config.world_builder import build_world
from meshproof.model.reader import read_text
from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.world import Proxy

SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: shop}
spec: {selector: {app: echo}, ports: [{name: http, port: 80}]}
---
"""


def origins(text: str) -> list[tuple[str, str, str]]:
    """Config, kind and field of each route for echo, in order."""
    store, _ = Store().apply(read_text(SERVICES + text, "rules.yaml"))
    mesh = build_world(store, (), ())
    table: Any = build_outbound(mesh, Proxy("sidecar", "shop", "client", {}, "default")).routes[
        "outbound"
    ]
    host = next(h for h in table["virtual_hosts"] if h["name"].startswith("echo.shop."))
    result = [r["metadata"]["filter_metadata"] for r in host["routes"] if "metadata" in r]
    return [(m["istio"]["config"], m["meshproof"]["kind"], m["meshproof"]["field"]) for m in result]


def test_a_virtual_service_with_the_entry_that_matched() -> None:
    rule = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: one, namespace: shop}
spec:
  hosts: [echo]
  http:
    - match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}]
      route: [{destination: {host: echo}}]
    - route: [{destination: {host: echo}}]
"""
    config = "/apis/networking.istio.io/v1/namespaces/shop/virtual-service/one"
    assert origins(rule) == [
        (config, "VirtualService", "spec.http[0].match[0]"),
        (config, "VirtualService", "spec.http[0].match[1]"),
        (config, "VirtualService", "spec.http[1]"),
    ]


def test_a_delegate_is_named_itself_and_the_root_keeps_its_own_numbers() -> None:
    rules = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: shop}
spec:
  hosts: [echo]
  http:
    - match: [{uri: {prefix: /a}}]
      delegate: {name: part, namespace: shop}
    - route: [{destination: {host: echo}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: part, namespace: shop}
spec:
  http:
    - match: [{uri: {exact: /a/1}}]
      directResponse: {status: 418}
    - directResponse: {status: 404}
"""
    base = "/apis/networking.istio.io/v1/namespaces/shop/virtual-service"
    assert origins(rules) == [
        (f"{base}/part", "VirtualService", "spec.http[0]"),
        (f"{base}/part", "VirtualService", "spec.http[1]"),
        (f"{base}/root", "VirtualService", "spec.http[1]"),
    ]


def test_an_http_route_is_named_by_its_own_kind() -> None:
    route = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: echo}]
  rules:
    - backendRefs: [{name: echo, port: 80}]
    - matches: [{path: {type: Exact, value: /x}}, {method: GET}]
      backendRefs: [{name: echo, port: 80}]
"""
    config = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/http-route/r"
    fields = [field for _, _, field in origins(route)]
    assert {entry[:2] for entry in origins(route)} == {(config, "HTTPRoute")}
    assert fields[:2] == ["spec.rules[1].matches[0]", "spec.rules[1].matches[1]"]
    assert fields[2].startswith("spec.rules[0]")
