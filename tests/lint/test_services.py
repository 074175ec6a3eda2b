"""Services whose ports say too little, contradict each other, or are not what is called."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.lint.linter import find_all
from meshproof.model.reader import read_text, with_default_namespace
from tests.lint.findings import findings_of

_SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: svcb}}, ports: [{{{port}}}]}}
"""


def service(port: str, name: str = "svcb") -> str:
    return _SERVICE.format(name=name, port=port)


@pytest.mark.parametrize(
    ("port", "count"),
    [
        ("port: 80", 1),
        ("port: 80, name: web", 1),
        ("port: 80, name: http-web", 0),
        ("port: 80, appProtocol: grpc", 0),
        ("port: 3306", 0),
        ("port: 53, protocol: UDP, name: dns", 0),
    ],
)
def test_a_port_s_protocol(port: str, count: int) -> None:
    problems = findings_of(service(port), "port-protocol-undeclared")
    assert [p.field for p in problems] == ["spec.ports[0]"] * count


def test_two_services_that_contradict_each_other() -> None:
    web = service("port: 80, name: http, targetPort: 8080", "a")
    raw = service("port: 81, name: tcp, targetPort: 8080", "b")
    (problem,) = findings_of(web + raw, "service-contradiction")
    assert problem.resource == "Service default/b"
    assert "Service default/a says HTTP" in problem.found
    assert findings_of(web + raw.replace("tcp", "http"), "service-contradiction") == []
    assert findings_of(web + raw.replace("8080", "8081"), "service-contradiction") == []


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("{app: svcb}", 1),
        ("{tier: web, app: svcb}", 0),  # no pod has this tier
        ("{app: svcb, tier: web}", 0),
        ("{app: far}", 0),  # of another namespace
    ],
)
def test_services_contradict_each_other_where_they_select_one_pod(
    selector: str, count: int
) -> None:
    web = service("port: 80, name: http, targetPort: 8080", "a")
    raw = service("port: 81, name: tcp, targetPort: 8080", "b").replace("{app: svcb}", selector)
    assert len(findings_of(web + raw, "service-contradiction")) == count


class Labels(dict[str, str]):
    """Labels of a pod; ``reads`` counts how often any were looked at as a whole."""

    reads = 0

    def items(self) -> Any:
        Labels.reads += 1
        return super().items()


def test_a_pod_is_held_against_the_services_of_its_labels_alone() -> None:
    """Not each of n pods against each of n Services, with every change."""
    size = 30
    text = "".join(
        service("port: 80, name: http", f"a{n}").replace("svcb", f"a{n}") for n in range(size)
    )
    resources = with_default_namespace(read_text(text, "rules.yaml"), "default")
    Labels.reads = 0
    find_all(resources, (), [("default", Labels(app=f"a{n}")) for n in range(size)])
    assert size <= Labels.reads <= 3 * size


_ENTRY = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out}
spec: {hosts: [m.test], ports: [{number: 9997, name: http, protocol: HTTP}], resolution: DNS}
"""
_RULE = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: r}
spec: {hosts: [HOST], http: [{route: [{destination: {host: TO}}]}]}
"""


def rule(host: str, to: str) -> str:
    return _RULE.replace("HOST", host).replace("TO", to)


@pytest.mark.parametrize(("host", "to"), [("svcb", "m.test"), ("shop.test", "m.test")])
def test_a_destination_without_the_called_port(host: str, to: str) -> None:
    (problem,) = findings_of(_ENTRY + rule(host, to), "port-unreachable")
    assert problem.field == "spec.http[0].route[0].destination.host"
    assert "the port that is called, 80," in problem.found
    assert problem.wanted == "port: {number: 9997} beside host"


@pytest.mark.parametrize(
    "text",
    [
        rule("svcb", "svca"),
        rule("m.test", "m.test"),
        rule("svcb", "m.test, port: {number: 9997}"),
        rule("svcb", "m.test").replace("hosts", "gateways: [g], hosts"),
        rule('"*.test"', "m.test"),
        rule("m.test, svcb", "svca"),
    ],
)
def test_a_destination_that_is_reached(text: str) -> None:
    assert findings_of(_ENTRY + text, "port-unreachable") == []


def test_an_unknown_host_beside_a_service_is_served_at_the_service_s_ports() -> None:
    (problem,) = findings_of(
        _ENTRY + rule("m.test, shop.test", "m.test"), "virtualservice-host-unknown"
    )
    assert "on port 9997 only" in problem.found


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_connections_that_no_route_gets(kind: str) -> None:
    match = (
        "match: [{port: 80, sniHosts: [a.test]}], " if kind == "tls" else "match: [{port: 80}], "
    )
    to = "route: [{destination: {host: svcb}}]"
    text = rule("a.test", "svcb").replace("http: [{", f"{kind}: [{{{match}{to}}}, {{{match}")
    (problem,) = findings_of(text, "connection-route-dead")
    assert problem.field == f"spec.{kind}[1].match[0]"


def test_a_route_without_a_match_takes_all_connections() -> None:
    to = "route: [{destination: {host: svcb}}]"
    text = rule("svcb", "svcb").replace("http: [{", f"tcp: [{{{to}}}, {{match: [{{port: 80}}], ")
    (problem,) = findings_of(text, "connection-route-dead")
    assert problem.field == "spec.tcp[1]"
