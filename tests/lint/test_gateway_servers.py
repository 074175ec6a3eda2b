"""Servers that share a port of the gateway's pod."""

from __future__ import annotations

import pytest

from meshproof.errors import Problem
from meshproof.lint.linter import find_all
from meshproof.model.reader import read_text, with_default_namespace
from meshproof.translate.from_kube import services_of

_NAME = "gateway-port-conflict"
_HTTPS = "port: {number: %d, name: p%d, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: c}"
_SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  ports: [{name: https, port: 443, targetPort: 8443}, {name: other, port: 8443, targetPort: 9443}]
"""


def _gateway(*servers: str) -> str:
    rows = "".join(f"\n  - {{{server}}}" for server in servers)
    return f"""
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: shop}}
spec:
  selector: {{istio: ingressgateway}}
  servers:{rows}
"""


def _findings(text: str, rule: str = _NAME) -> list[Problem]:
    resources = with_default_namespace(read_text(text, "rules.yaml"), "default")
    findings = find_all(resources, services_of(resources), [], ())
    return [problem for problem in findings if problem.rule == rule]


def _https(port: int, host: str = "a.test") -> str:
    return _HTTPS % (port, port) + f", hosts: [{host}]"


def _http(port: int) -> str:
    return f"port: {{number: {port}, name: h{port}, protocol: HTTP}}, hosts: [a.test]"


@pytest.mark.parametrize(
    ("servers", "reason"),
    [
        ((_https(443), _https(8443)), "ports 443 and 8443 both lead, the server of port 443 of "
         "Gateway default/shop serves a.test"),
        ((_http(80), _https(8080)), "ports 80 and 8080 both lead, the server of port 80 of "
         "Gateway default/shop speaks HTTP"),
        ((_https(443, "b.test"), _http(8443)), "speaks HTTPS"),
    ],
)  # fmt: skip
def test_a_server_without_a_listener(servers: tuple[str, str], reason: str) -> None:
    (problem,) = _findings(_gateway(*servers))
    assert (problem.resource, problem.field) == ("Gateway default/shop", "spec.servers[1].port")
    assert reason in problem.found
    assert "targetPort" in problem.remedy


@pytest.mark.parametrize(
    "text",
    [
        _gateway(_https(443), _https(8443, "b.test")),
        _gateway(_https(443), _https(444)),
        _gateway(_http(80), _http(8080)),
        _gateway(_http(80), _https(443)),
        _gateway(_https(443), _https(8443)) + _SERVICE,
    ],
)
def test_servers_of_other_ports_hosts_and_targets_are_served(text: str) -> None:
    assert _findings(text) == []


def test_one_host_at_two_gateways_is_a_conflict_and_told_once() -> None:
    second = _gateway(_https(443)).replace("name: shop}", "name: other}")
    text = _gateway(_https(443)) + second
    assert _findings(text) == []
    assert len(_findings(text, "gateway-conflict")) == 1
