"""Endpoints and EndpointSlices: where a Service without a selector leads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from meshproof.model.reader import read_text
from meshproof.translate.envoy_config import build_outbound_clusters
from meshproof.translate.manual_endpoints import manual_endpoints
from meshproof.translate.world import Address, Service, ServicePort
from tests.translate.builders import CLIENT, addresses, outside, service, world

ENDPOINTS = """\
apiVersion: v1
kind: Endpoints
metadata: {name: old, namespace: default}
subsets:
- addresses: [{ip: 10.9.0.1}, {ip: 10.9.0.2}]
  notReadyAddresses: [{ip: 10.9.0.3}]
  ports: [{name: web, port: 3128}, {name: dns, port: 53, protocol: UDP}]
"""
SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: old-x7, namespace: default, labels: {kubernetes.io/service-name: old}}
addressType: %s
endpoints:
- {addresses: [10.9.0.1], conditions: {ready: true}}
- {addresses: [10.9.0.2], conditions: {ready: false}}
ports: [{name: web, port: 3128}]
"""
OLD = Service("old", "default", {}, (ServicePort("web", 80, 80, "HTTP"),))
KNOWN = tuple(
    outside(f"10.9.0.{n}", {3128: Address("127.70.0.1", 3000 + n), 80: Address("127.70.0.1", 80)})
    for n in (1, 2, 3)
)


def _addresses(text: str, service: Service = OLD) -> list[str]:
    manual = manual_endpoints(read_text(text, "e.yaml"))
    mesh = world(services=(service,), outside=KNOWN, manual_endpoints=manual)
    config: Any = build_outbound_clusters(mesh, CLIENT)
    (assignment,) = config.endpoints.values()
    return addresses(assignment)


def test_endpoints_at_the_port_of_the_service_s_name() -> None:
    assert _addresses(ENDPOINTS) == ["127.70.0.1:3001", "127.70.0.1:3002"]
    other = replace(OLD, ports=(ServicePort("other", 80, 80, "HTTP"),))
    assert _addresses(ENDPOINTS, other) == []


def test_a_slice_belongs_to_the_service_of_its_label_and_leaves_out_what_is_not_ready() -> None:
    assert _addresses(SLICE % "IPv4") == ["127.70.0.1:3001"]
    assert _addresses(SLICE % "FQDN") == []


def test_an_address_of_both_counts_once() -> None:
    both = f"{ENDPOINTS}---\n{SLICE % 'IPv4'}"
    assert _addresses(both) == ["127.70.0.1:3001", "127.70.0.1:3002"]


def test_those_of_a_service_with_a_selector_do_not_count() -> None:
    assert _addresses(ENDPOINTS, replace(service("old"), ports=OLD.ports)) == []


def test_they_have_no_sidecar_and_are_called_in_plain_text() -> None:
    manual = manual_endpoints(read_text(ENDPOINTS, "e.yaml"))
    mesh = world(services=(OLD,), outside=KNOWN, manual_endpoints=manual)
    config: Any = build_outbound_clusters(mesh, CLIENT)
    (assignment,) = config.endpoints.values()
    metadata = [
        e["metadata"]["filter_metadata"] for e in assignment["endpoints"][0]["lb_endpoints"]
    ]
    assert all("envoy.transport_socket_match" not in m for m in metadata)
