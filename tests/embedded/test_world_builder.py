"""What pods add to a world: ClusterIPs, and addresses of names outside the mesh."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from meshproof.admission.store import Store
from meshproof.embedded.config.world_builder import build_world
from meshproof.model.pod_network import Addresses
from meshproof.model.reader import read_text
from meshproof.translate.world import Address, Outside, World

MANIFESTS = """
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{port: 80}], selector: {app: cart}}
---
apiVersion: v1
kind: Service
metadata: {name: fixed}
spec: {clusterIP: 10.96.0.10, ports: [{port: 80}], selector: {app: cart}}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, ports: [{port: 5432}], selector: {app: db}}
---
apiVersion: v1
kind: Service
metadata: {name: alias}
spec: {type: ExternalName, externalName: api.example.com}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api}
spec:
  hosts: [API.example.com, "*.wild.example.com"]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: NONE
"""
BANK = Outside("10.100.35.27", {9997: Address("127.0.0.1", 4000)})


def _world(addresses: Addresses | None) -> World:
    store = Store().apply(read_text(MANIFESTS, "t.yaml", namespace="default"))[0]
    return build_world(store, (), (BANK,), addresses=addresses)


def test_without_pods_nothing_has_an_address() -> None:
    world = _world(None)
    assert not world.pods
    assert not world.addresses
    assert {s.cluster_ip for s in world.services} == {""}


def test_in_pods_a_service_has_the_address_it_asks_for_or_one_of_ours() -> None:
    by_name = {s.name: s for s in _world(Addresses()).services}
    assert by_name["fixed"].cluster_ip == "10.96.0.10"
    assert IPv4Address(by_name["cart"].cluster_ip) in IPv4Network("127.0.0.0/8")
    assert by_name["db"].cluster_ip == ""
    assert by_name["db"].headless
    assert by_name["alias"].cluster_ip == ""


def test_in_pods_names_outside_have_addresses_and_an_address_is_its_own() -> None:
    addresses = _world(Addresses()).addresses
    assert set(addresses) == {"api.example.com", "10.100.35.27"}
    assert addresses["10.100.35.27"] == "10.100.35.27"
    assert IPv4Address(addresses["api.example.com"]) in IPv4Network("127.0.0.0/8")
