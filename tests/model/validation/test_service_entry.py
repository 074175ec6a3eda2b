"""ServiceEntries, WorkloadEntries and WorkloadGroups that Istio refuses, and what it takes."""

from __future__ import annotations

import pytest

from tests.model.validation.judge import check, judge

KIND = "ServiceEntry"
HTTP = "ports: [{number: 80, name: http, protocol: HTTP}]"
STATIC = f"{{hosts: [a.test], {HTTP}, resolution: STATIC, endpoints: [ENDPOINT]}}"


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ('{hosts: ["*"]}', "hosts[0]", "every host"),
        ("{hosts: [10.0.0.1]}", "hosts[0]", "last label is a number"),
        (f'{{hosts: ["*.a.test"], {HTTP}, resolution: DNS}}', "hosts[0]", "cannot be resolved"),
        ("{hosts: [a.test], addresses: [here.test]}", "addresses[0]", "not an IP"),
        (f"{{hosts: [a.test], addresses: [10.0.0.0/8], {HTTP}, resolution: DNS}}", "addresses[0]",
         "a range"),
        ("{hosts: [a.test], ports: [{number: 80, name: a}, {number: 81, name: a}]}",
         "ports[1].name", "names two ports"),
        ("{hosts: [a.test], ports: [{number: 80, name: a}, {number: 80, name: b}]}",
         "ports[1].number", "twice"),
        ("{hosts: [a.test], ports: [{number: 80, name: a_b}]}", "ports[0].name", "DNS label"),
        ("{hosts: [a.test], ports: [{number: 80, name: a, protocol: HTP}]}", "ports[0].protocol",
         "not a protocol"),
        ("{hosts: [a.test, b.test], ports: [{number: 80, name: a, protocol: TCP}], "
         "resolution: DNS}", "hosts", "are several"),
        (f"{{hosts: [a.test], {HTTP}, endpoints: [{{address: 10.0.0.1}}]}}", "endpoints", "NONE"),
        (f"{{hosts: [a.test], {HTTP}, resolution: DNS_ROUND_ROBIN, endpoints: "
         "[{address: 10.0.0.1}, {address: 10.0.0.2}]}", "endpoints", "more than one"),
        (STATIC.replace("ENDPOINT", "{address: b.test}"), "endpoints[0].address",
         "not an address"),
        (STATIC.replace("ENDPOINT", "{address: 10.0.0.1, ports: {grpc: 1}}"),
         "endpoints[0].ports.grpc", "no port of this"),
        (STATIC.replace("ENDPOINT", "{}"), "endpoints[0].address", "missing"),
        (STATIC.replace("ENDPOINT", '{address: "unix://a"}'), "endpoints[0].address",
         "absolute path"),
        (STATIC.replace("ENDPOINT", '{address: "unix:///a", ports: {http: 1}}'),
         "endpoints[0].ports", "socket"),
        (f'{{hosts: ["*.a.test"], {HTTP}, resolution: DYNAMIC_DNS, addresses: [10.0.0.1]}}',
         "addresses", "DYNAMIC_DNS"),
        (f"{{hosts: [a.test], {HTTP}, resolution: DYNAMIC_DNS}}", "hosts[0]", "no wildcard"),
        (f'{{hosts: ["*.a.test"], {HTTP}, resolution: DYNAMIC_DNS, location: MESH_INTERNAL}}',
         "location", "inside the mesh"),
        (f'{{hosts: ["*.a.test"], {HTTP.replace("HTTP", "GRPC")}, resolution: DYNAMIC_DNS}}',
         "ports[0].protocol", "neither HTTP nor TLS"),
        ("{hosts: [a.test], workloadSelector: {labels: {app: a*}}, resolution: STATIC}",
         "workloadSelector.labels.app", "has a *"),
    ],
)  # fmt: skip
def test_an_entry(spec: str, field: str, message: str) -> None:
    check(KIND, spec, field, message)


@pytest.mark.parametrize(
    ("kind", "spec", "field", "message"),
    [
        ("WorkloadEntry", "{address: 'a.test:80'}", "address", "not an address"),
        ("WorkloadEntry", "{address: 10.0.0.1, ports: {'@': 80}}", "ports.@", "the port's name"),
        ("WorkloadEntry", "{address: 10.0.0.1, ports: {a: 0}}", "ports.a", "no port"),
        ("WorkloadEntry", "{}", "address", "missing"),
        ("WorkloadGroup", "{}", "template", "missing"),
        ("WorkloadGroup", "{template: {}, probe: {httpGet: {}}}", "probe.httpGet.port", "missing"),
        ("WorkloadGroup", "{template: {}, probe: {periodSeconds: -1, tcpSocket: {port: 1}}}",
         "probe.periodSeconds", "negative"),
        ("WorkloadGroup", "{template: {}, probe: {}}", "probe", "no method"),
    ],
)  # fmt: skip
def test_a_workload(kind: str, spec: str, field: str, message: str) -> None:
    check(kind, spec, field, message)


@pytest.mark.parametrize(
    "spec",
    [
        "{hosts: [a.test, b.test], ports: [{number: 80, name: a, protocol: ''}], "
        "addresses: [10.0.0.0/8]}",
        "{hosts: [a.test], resolution: STATIC}",
        STATIC.replace("ENDPOINT", '{address: "unix:///run/a.sock"}'),
        STATIC.replace("ENDPOINT", "{address: 10.0.0.1, ports: {http: 8080}, labels: {v: '1'}}"),
        f'{{hosts: ["*.a.test"], {HTTP}, resolution: DYNAMIC_DNS}}',
        f'{{hosts: [a.test], {HTTP}, resolution: DNS, exportTo: ["~"]}}',
    ],
)
def test_what_istio_takes(spec: str) -> None:
    assert judge(KIND, spec) == []


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (f'{{hosts: ["*a.test"], {HTTP}}}', "hosts[0]", "part of a label"),
        ("{hosts: [a.test], ports: [{number: 80, name: a, protocol: TCP}]}", "ports[0]",
         "no address is allocated"),
        ("{hosts: [a.test], workloadSelector: {labels: {app: a}}}", "workloadSelector",
         "resolution NONE"),
        (STATIC.replace("ENDPOINT", "{network: far}"), "endpoints[0].address", "network"),
    ],
)  # fmt: skip
def test_what_istio_warns_of(spec: str, field: str, message: str) -> None:
    assert judge(KIND, spec) == []
    check(KIND, spec, field, message, warnings=True)
