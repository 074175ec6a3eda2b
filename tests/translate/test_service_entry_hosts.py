"""Clusters of ServiceEntries: only declared outside addresses are reachable."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from meshproof.model.service_entry import ServicePort
from meshproof.model.workload_entry import WorkloadEntry
from meshproof.translate.envoy_config import build_outbound, proxy_of
from meshproof.translate.world import Address, Config, Named
from tests.translate import pod_builders
from tests.translate.builders import (
    CLIENT,
    addresses,
    destination_rule,
    outside,
    service_entry,
    world,
)

REAL = Address("127.60.9.1", 19997)


def _config(**parts: Any) -> Config:
    return build_outbound(world(**parts), CLIENT)


def _entry(text: str, host: str = "m.test", port: int = 80, **parts: Any) -> list[str]:
    config = _config(service_entries=(service_entry(text),), **parts)
    cluster: Any = config.clusters[f"outbound|{port}||{host}"]
    assert cluster["type"] == "STATIC"
    assert "transport_socket" not in cluster
    return addresses(cluster["load_assignment"])


DECLARED = (
    outside("M.test", {80: REAL, 8080: Address("127.60.9.2", 1)}),
    outside("10.0.0.1", {80: REAL}),
)
HTTP = "ports: [{number: 80, name: http, protocol: HTTP}]"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (f"{{hosts: [m.test], {HTTP}, resolution: DNS}}", ["127.60.9.1:19997"]),
        (
            "{hosts: [m.test], resolution: DNS,"
            "ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]}",
            ["127.60.9.2:1"],
        ),
        (
            f"{{hosts: [m.test], {HTTP}, resolution: STATIC, endpoints: [{{address: 10.0.0.1}},"
            "{address: m.test, ports: {http: 8080}}]}",
            ["127.60.9.1:19997", "127.60.9.2:1"],
        ),
        (
            f"{{hosts: [m.test], {HTTP}, resolution: STATIC, addresses: [10.0.0.1/32]}}",
            ["127.60.9.1:19997"],
        ),
        (
            f"{{hosts: [m.test], {HTTP}, resolution: DNS, endpoints: [{{address: other.test}}]}}",
            [],
        ),
    ],
)
def test_an_entry_leads_to_the_declared_address(text: str, result: list[str]) -> None:
    assert _entry(text, outside=DECLARED) == result


@pytest.mark.parametrize(
    "text",
    [
        f"{{hosts: [u.test], {HTTP}, resolution: DNS}}",
        f"{{hosts: [u.test], {HTTP}, resolution: STATIC, addresses: [192.0.2.7]}}",
        f"{{hosts: [u.test], {HTTP}, resolution: STATIC, endpoints: [{{address: 127.0.0.1}}]}}",
        f"{{hosts: [u.test], {HTTP}, resolution: DNS, endpoints: [{{address: localhost}}]}}",
        f"{{hosts: [u.test], {HTTP}, resolution: STATIC, endpoints: [{{address: 'unix:///s'}}]}}",
        f"{{hosts: [u.test], {HTTP}, resolution: STATIC, endpoints: [{{network: far}}]}}",
        "{hosts: [m.test], ports: [{number: 81, name: http, protocol: HTTP}], resolution: DNS}",
    ],
)
def test_nothing_undeclared_can_be_reached(text: str) -> None:
    """Every address in all that a sidecar is given is a replica's or a declared outside one."""
    config = _config(service_entries=(service_entry(text),), outside=DECLARED)
    text = json.dumps([config.clusters, config.endpoints])
    result = {part.split('"')[0] for part in text.split('"address": "')[1:]}
    assert result == {"127.60.0.1", "127.60.0.2"}
    types = {c["type"] for c in config.clusters.values()}
    assert types == {"EDS", "STATIC"}, "no cluster may resolve names or follow the connection"


@pytest.mark.parametrize(("resolution", "emitted"), [("DNS", False), ("STATIC", True)])
def test_an_empty_subset_of_a_dns_entry_is_no_cluster(resolution: str, emitted: bool) -> None:
    """So requests to it are 503 NC, as in Istio; of a STATIC entry they are 503 UH."""
    config = _config(
        service_entries=(
            service_entry(
                f"{{hosts: [m.test], {HTTP}, resolution: {resolution},"
                "endpoints: [{address: 10.0.0.1, labels: {v: a}}]}"
            ),
        ),
        destination_rules=(
            destination_rule("{host: m.test, subsets: [{name: b, labels: {v: b}}]}"),
        ),
    )
    assert ("outbound|80|b|m.test" in config.clusters) == emitted


def test_two_entries_for_one_host_join_their_ports() -> None:
    entries = tuple(
        service_entry(
            f"{{hosts: [m.test], ports: [{{number: {n}, name: p, protocol: HTTP}}],"
            "resolution: DNS}"
        )
        for n in (80, 8080)
    )
    config = _config(service_entries=entries, outside=DECLARED)
    assert {"outbound|80||m.test", "outbound|8080||m.test"} <= set(config.clusters)


WILD = f"{{hosts: ['*.m.test', a.m.test], {HTTP}, resolution: NONE}}"


def test_a_wildcard_is_every_declared_host_that_it_covers() -> None:
    other = Address("127.60.9.3", 3)
    config = _config(
        service_entries=(service_entry(WILD),),
        outside=(outside("a.m.test", {80: REAL}), outside("b.m.test", {80: other})),
    )
    clusters: dict[str, Any] = {
        n.split("|")[-1]: addresses(c["load_assignment"])
        for n, c in config.clusters.items()
        if c["type"] == "STATIC"
    }
    assert clusters == {
        "a.m.test": ["127.60.9.1:19997"],
        "b.m.test": ["127.60.9.3:3"],
        "*.m.test": [],
    }


def test_a_selector_puts_replicas_behind_an_entry() -> None:
    text = (
        "{hosts: [m.test], location: MESH_INTERNAL, resolution: STATIC,"
        "ports: [{number: 80, name: http, protocol: http, targetPort: 8080}],"
        "workloadSelector: {labels: {version: v2}}}"
    )
    config = _config(service_entries=(service_entry(text),))
    cluster: Any = config.clusters["outbound|80||m.test"]
    assert cluster["type"] == "EDS"
    assert addresses(config.endpoints["outbound|80||m.test"]) == ["127.60.0.2:8080"]
    assert "transport_socket_matches" in cluster
    external = _config(service_entries=(service_entry(text.replace("INTERNAL", "EXTERNAL")),))
    plain: Any = external.clusters["outbound|80||m.test"]
    assert not {"transport_socket", "transport_socket_matches"} & set(plain)


@pytest.mark.parametrize("protocol", ["HTTP2", "grpc"])
def test_http_2_towards_a_port_of_http_2(protocol: str) -> None:
    port = f"{{number: 80, name: p, protocol: {protocol}}}"
    text = f"{{hosts: [m.test], resolution: DNS, ports: [{port}]}}"
    cluster: Any = _config(service_entries=(service_entry(text),)).clusters["outbound|80||m.test"]
    (options,) = cluster["typed_extension_protocol_options"].values()
    assert options["explicit_http_config"] == {"http2_protocol_options": {}}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (f"hosts: ['*'], {HTTP}", "every host"),
        (f"hosts: ['a*.test'], {HTTP}", "is not a host"),
        (f"hosts: ['*.test'], {HTTP}, resolution: DNS", "cannot be resolved"),
        (f"hosts: [a], {HTTP}, endpoints: [{{address: b}}]", "be combined with resolution NONE"),
        (f"hosts: [a], {HTTP}, resolution: DNS_ROUND_ROBIN, endpoints: [{{address: b}},"
         "{address: c}]", "more than one"),
        (f"hosts: ['*.a'], {HTTP}, resolution: DYNAMIC_DNS, workloadSelector: "
         "{labels: {a: b}}", "wanted STATIC"),
        ("hosts: ['*a.test'], ports: [{number: 443, name: a, protocol: TLS}]", "no TLS name"),
        ("hosts: [a], ports: [{number: 1, name: a}, {number: 1, name: b}]", "a number twice"),
        (f"hosts: [a], {HTTP}, exportTo: ['*', a]", "wanted it alone"),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_is_refused(fields: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        service_entry(f"{{{fields}}}")


def _selected(resolution: str, *entries: Any, **parts: Any) -> list[str]:
    text = (
        "{hosts: [vm.test], workloadSelector: {labels: {app: echo}}, ports: [{number: 80,"
        f"name: http, protocol: HTTP, targetPort: 8080}}], resolution: {resolution}}}"
    )
    config = _config(
        service_entries=(service_entry(text),),
        workload_entries=tuple(
            Named("w", "default", WorkloadEntry.model_validate(e)) for e in entries
        ),
        outside=DECLARED,
        **parts,
    )
    return addresses(config.endpoints["outbound|80||vm.test"])


HERE = {"address": "m.test", "labels": {"app": "echo"}}


def test_workload_entries_stand_beside_replicas_and_alone_where_names_are_resolved() -> None:
    other = {"address": "m.test", "labels": {"app": "other"}}
    pods = ["127.60.0.1:8080", "127.60.0.2:8080"]
    assert _selected("STATIC", HERE, other) == [*pods, "127.60.9.2:1"]
    assert _selected("DNS", HERE, other) == ["127.60.9.2:1"]


def test_a_workload_entry_s_own_port_wins() -> None:
    assert _selected("DNS", {**HERE, "ports": {"http": 80}}) == ["127.60.9.1:19997"]


def test_a_service_selects_workload_entries_too() -> None:
    entry = Named("w", "default", WorkloadEntry.model_validate(HERE))
    config = _config(workload_entries=(entry,), outside=DECLARED)
    endpoints = addresses(config.endpoints["outbound|80||echo.default.svc.cluster.local"])
    assert endpoints == ["127.60.0.1:8080", "127.60.0.2:8080", "127.60.9.2:1"]


@pytest.mark.parametrize(
    ("number", "protocol"), [(80, "HTTP"), (8443, "HTTP"), (443, "HTTPS"), (3306, "TCP")]
)
def test_a_port_without_a_protocol_is_as_a_service_s(number: int, protocol: str) -> None:
    for text in ("", ", protocol: ''"):
        port = ServicePort.model_validate(yaml.safe_load(f"{{number: {number}, name: a{text}}}"))
        assert (port.protocol, port.effective_protocol) == (None, protocol)


PODS = (
    "{hosts: [pods.test], location: MESH_INTERNAL, resolution: NONE, addresses: [%s], ports: [%s]}"
)


def _pods_entry(addresses: str, ports: str) -> tuple[Any, ...]:
    return (service_entry(PODS % (addresses, ports)),)


def test_without_resolution_the_address_of_a_pod_leads_to_it_at_any_port() -> None:
    """As Istio's tests force mutual TLS on ports that no Service names."""
    ports = "{number: 7070, name: tcp, protocol: TCP}, {number: 8080, name: tcp-2, protocol: TCP}"
    own, other = pod_builders.ECHO
    entries = _pods_entry(f"{own.ip}, 10.1.2.3", ports)
    rule = destination_rule("{host: pods.test, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}")
    config = pod_builders.sidecar(
        pod_builders.world(service_entries=entries, destination_rules=(rule,))
    )
    for number in (7070, 8080):
        cluster = config.clusters[f"outbound|{number}||pods.test"]
        (member,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        address = member["endpoint"]["address"]["socket_address"]
        assert (address["address"], address["port_value"]) == (own.ip, number)
        assert "UpstreamTlsContext" in str(cluster["transport_socket"])
    (chain,) = config.listeners[f"{own.ip}_7070"]["filter_chains"]
    kinds = [f["name"].rpartition(".")[2] for f in chain["filters"]]
    assert kinds == ["set_filter_state", "tcp_proxy"], "the server knows that bytes follow"
    assert f"{other.ip}_7070" not in config.listeners


def test_no_other_entry_leads_to_pods() -> None:
    own = pod_builders.ECHO[0]
    tcp, http = (f"{{number: 7070, name: p, protocol: {p}}}" for p in ("TCP", "HTTP"))
    for entries, pods in (
        (_pods_entry(own.ip, http), True),
        (_pods_entry("10.1.2.3", tcp), True),
        (_pods_entry(own.ip, tcp), False),
    ):
        mesh = pod_builders.world(service_entries=entries, pods=pods)
        clusters: Any = build_outbound(mesh, proxy_of(pod_builders.CLIENT)).clusters
        assert not clusters["outbound|7070||pods.test"]["load_assignment"]["endpoints"]
