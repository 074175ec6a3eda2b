"""Gateways that are unknown, unused, or serve other hosts; and their certificates."""

from __future__ import annotations

import pytest

from meshproof.lint.linter import find_all, find_warnings
from meshproof.lint.rules import HINTS
from meshproof.model.reader import read_text, with_default_namespace
from meshproof.translate.from_kube import services_of
from tests.lint.conftest import Lint
from tests.lint.findings import PODS, SERVICES, findings_of
from tests.lint.problems import check_only
from tests.lint.resources import GATEWAY, route_to, virtual_service

HTTPS_GATEWAY = (
    "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\n"
    "spec: {servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*'], "
    "tls: {mode: SIMPLE, credentialName: shop}}]}\n"
)
SECRET = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: shop, namespace: NS}\nstringData: "


@pytest.mark.parametrize("gateways", ["[other/gw]", "[mesh]"])
def test_known_gateway(lint: Lint, gateways: str) -> None:
    assert (
        lint(route_to("host: svcb").replace("hosts:", f"gateways: {gateways}, hosts:") + GATEWAY)
        == []
    )


def test_the_old_way_to_name_a_gateway(lint: Lint) -> None:
    rule = route_to("host: svcb").replace(
        "hosts:", "gateways: [gw.other.svc.cluster.local], hosts:"
    )
    check_only(lint(rule + GATEWAY), "spec.gateways[0]", "old way", "wanted other/gw")


@pytest.mark.parametrize("gateways", ["[gw]", "[mesh, ./gw]", "[other/wg]"])
def test_unknown_gateway(lint: Lint, gateways: str) -> None:
    text = route_to("host: svcb").replace("hosts:", f"gateways: {gateways}, hosts:") + GATEWAY
    field = f"spec.gateways[{1 if 'mesh' in gateways else 0}]"
    check_only(lint(text), field, "on no gateway", "one of other/gw")


def test_unknown_gateway_of_a_match(lint: Lint) -> None:
    http = "{match: [{gateways: [gw]}], route: [{destination: {host: svcb}}]}"
    check_only(lint(virtual_service(http)), "spec.http[0].match[0].gateways[0]", "default/gw")


@pytest.mark.parametrize(
    ("secret", "count"),
    [
        ("", 1),
        (SECRET.replace("NS", "default") + "{tls.crt: c, tls.key: k}", 1),
        (SECRET.replace("NS", "istio-system") + "{tls.crt: c}", 1),
        (SECRET.replace("NS", "istio-system") + "{tls.crt: c, tls.key: k}", 0),
    ],
)
def test_a_server_without_its_certificate(lint: Lint, secret: str, count: int) -> None:
    problems = lint(HTTPS_GATEWAY + secret)
    assert [p.field for p in problems] == ["spec.servers[0].tls.credentialName"] * count


def gateway(hosts: str, *, bound: bool = True, rule_host: str = "shop.test") -> str:
    rule = f"""
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: v}}
spec:
  hosts: [{rule_host}]
  gateways: [door]
  http: [{{route: [{{destination: {{host: svca}}}}]}}]
"""
    return f"""
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: door}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: {hosts}}}]
""" + (rule if bound else "")


def test_a_gateway_that_no_rule_names_is_a_hint() -> None:
    (problem,) = findings_of(gateway('["*"]', bound=False), "gateway-unused")
    assert problem.rule in HINTS
    resources = with_default_namespace(read_text(gateway('["*"]', bound=False), "r"), "default")
    assert find_warnings(resources, SERVICES, PODS) == []
    assert findings_of(gateway('["*"]'), "gateway-unused") == []


@pytest.mark.parametrize("hosts", ["[other.test]", '["*.shop.test"]', "[default/other.test]"])
def test_a_gateway_that_serves_none_of_the_hosts(hosts: str) -> None:
    (problem,) = findings_of(gateway(hosts), "gateway-host-mismatch")
    assert problem.field == "spec.gateways[0]"
    assert problem.resource == "VirtualService default/v"


@pytest.mark.parametrize("hosts", ['["*"]', "[shop.test]", '["*.test"]', '["./shop.test"]'])
def test_a_gateway_that_serves_one_of_the_hosts(hosts: str) -> None:
    assert findings_of(gateway(hosts), "gateway-host-mismatch") == []
    assert findings_of(gateway('["a.test"]', rule_host='"*"'), "gateway-host-mismatch") == []


SELECTED = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec:
  selector: %s
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: own-door}
spec:
  selector: {matchLabels: {door: own}}
  template:
    metadata:
      labels: {door: own}
      annotations: {inject.istio.io/templates: gateway}
    spec: {containers: [{name: istio-proxy, image: auto}]}
"""


@pytest.mark.parametrize(
    "selector", ["{istio: ingressgateway}", "{app: istio-egressgateway}", "{}", "{door: own}"]
)
def test_a_selector_that_a_gateway_serves(selector: str) -> None:
    assert findings_of(SELECTED % selector, "gateway-unserved") == []


def test_a_selector_that_nobody_serves() -> None:
    text = SELECTED % "{istio: egresgateway}"
    (problem,) = findings_of(text, "gateway-unserved")
    assert (problem.field, problem.resource) == ("spec.selector", "Gateway default/door")
    assert "istio: egresgateway; nothing listens" in problem.found
    assert "door: own" in problem.wanted


@pytest.mark.parametrize(
    ("protocol", "tls", "count"),
    [("HTTP2", "", 0), ("TCP", "", 1), ("TLS", ", tls: {mode: PASSTHROUGH}", 1)],
)
def test_two_kinds_of_server_on_one_port(protocol: str, tls: str, count: int) -> None:
    port = f"port: {{number: 80, name: other, protocol: {protocol}}}"
    text = (SELECTED % "{istio: ingressgateway}").replace(
        '["*"]}]', f'["*"]}}, {{{port}, hosts: [a.test]{tls}}}]'
    )
    problems = findings_of(text, "gateway-port-conflict")
    assert [p.field for p in problems] == ["spec.servers[1].port"] * count


MUTUAL = HTTPS_GATEWAY.replace("SIMPLE", "MUTUAL")
PAIR = SECRET.replace("NS", "istio-system") + "{tls.crt: c, tls.key: k}\n"


@pytest.mark.parametrize(
    ("authorities", "count"),
    [
        ("", 1),
        (SECRET.replace("NS", "istio-system").replace("shop", "shop-cacert") + "{cacert: a}", 0),
        (SECRET.replace("NS", "default").replace("shop", "shop-cacert") + "{cacert: a}", 1),
    ],
)
def test_mutual_tls_without_the_authorities_of_clients(
    lint: Lint, authorities: str, count: int
) -> None:
    problems = lint(MUTUAL + PAIR + authorities)
    missing = [p for p in problems if "shop-cacert" in p.found]
    assert [p.field for p in missing] == ["spec.servers[0].tls.credentialName"] * count


SERVED = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: %d, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""


@pytest.mark.parametrize(("port", "count"), [(80, 0), (8080, 0), (9000, 1)])
def test_a_port_beyond_the_gateway_s_service_is_hinted_at(port: int, count: int) -> None:
    resources = with_default_namespace(read_text(SERVED % port, "rules.yaml"), "default")
    findings = find_all(resources, services_of(resources), PODS)
    hints = [p for p in findings if p.rule == "gateway-port-unexposed"]
    assert len(hints) == count
    assert "gateway-port-unexposed" in HINTS
