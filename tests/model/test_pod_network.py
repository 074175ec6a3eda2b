"""Addresses of Services and outside names: on loopback, stable, and never twice the same."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from meshproof.model import pod_network
from meshproof.model.pod_network import Addresses

_LOOPBACK = IPv4Network("127.0.0.0/8")


def test_every_address_is_loopback_on_the_host_and_captured_in_a_pod() -> None:
    addresses = Addresses()
    for number in range(500):
        for text in (addresses.cluster_ip("shop", f"s{number}"), addresses.outside(f"h{number}")):
            assert IPv4Address(text) in _LOOPBACK
            assert IPv4Address(text) not in pod_network.UNCAPTURED


def test_a_name_keeps_its_address_whatever_comes_after_it() -> None:
    addresses = Addresses()
    first = addresses.cluster_ip("shop", "cart")
    for number in range(2000):
        addresses.cluster_ip("shop", f"other-{number}")
    assert addresses.cluster_ip("shop", "cart") == first


def test_no_two_names_share_an_address() -> None:
    addresses = Addresses()
    addresses_of_all = [addresses.cluster_ip("shop", f"s{n}") for n in range(3000)]
    addresses_of_all += [addresses.outside(f"s{n}") for n in range(3000)]
    assert len(set(addresses_of_all)) == 6000


def test_two_meshes_of_the_same_names_agree() -> None:
    assert Addresses().cluster_ip("shop", "cart") == Addresses().cluster_ip("shop", "cart")
    assert Addresses().outside("API.example.com") == Addresses().outside("api.example.com")


def test_services_of_one_name_in_two_namespaces_differ() -> None:
    addresses = Addresses()
    assert addresses.cluster_ip("a", "cart") != addresses.cluster_ip("b", "cart")


def test_an_address_is_no_name() -> None:
    assert pod_network.is_address("10.100.35.27")
    assert not pod_network.is_address("10.100.35.27.example.com")
    assert not pod_network.is_address("10.0.0.0/24")
