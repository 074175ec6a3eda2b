"""Istio's names: taken apart and put together again."""

from __future__ import annotations

import pytest

from meshproof.istio_names import (
    ClusterName,
    inbound_cluster,
    inbound_virtual_host,
    inbound_virtual_host_port,
    is_inbound,
    is_service_host,
    outbound_cluster,
    service_host,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("outbound|80|v1|svcb.shop.svc.cluster.local",
         ClusterName("outbound", 80, "v1", "svcb.shop.svc.cluster.local")),
        ("outbound|443||api.test", ClusterName("outbound", 443, "", "api.test")),
        ("inbound|8080||", ClusterName("inbound", 8080)),
    ],
)  # fmt: skip
def test_a_cluster_name_is_read_and_written_alike(text: str, name: ClusterName) -> None:
    assert ClusterName.parse(text) == name
    assert str(name) == text


@pytest.mark.parametrize(
    "text", ["", "-", "BlackHoleCluster", "PassthroughCluster", "inbound|http|80", "a|b|c|d"]
)
def test_other_names_are_no_cluster_names(text: str) -> None:
    assert ClusterName.parse(text) is None


def test_builders_give_names_that_parse() -> None:
    assert ClusterName.parse(outbound_cluster(80, "h.test", "v2")) == ClusterName(
        "outbound", 80, "v2", "h.test"
    )
    assert ClusterName.parse(inbound_cluster(8080)) == ClusterName("inbound", 8080)


def test_an_inbound_virtual_host_names_its_port() -> None:
    assert inbound_virtual_host_port(inbound_virtual_host(80)) == 80
    assert inbound_virtual_host_port(inbound_cluster(8080)) is None


def test_only_inbound_clusters_and_virtual_hosts_are_inbound() -> None:
    assert is_inbound(inbound_cluster(8080))
    assert is_inbound(inbound_virtual_host(80))
    assert not is_inbound(outbound_cluster(80, "h.test"))


def test_a_service_has_a_full_and_a_short_host() -> None:
    host = service_host("svcb", "shop")
    assert is_service_host(host)
    assert not is_service_host("svcb.shop.svc")
    assert ClusterName("outbound", 80, "", host).short_host == "svcb.shop"
    assert ClusterName("outbound", 80, "", "api.test").short_host == "api.test"
