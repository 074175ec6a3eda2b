"""What a pod's DNS answers, by the DNS specification of Kubernetes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from meshproof.model.kube_workloads import POD_NAME
from meshproof.translate.name_table import NameTable, build_name_table
from meshproof.translate.world import Service
from tests.translate import builders
from tests.translate.pod_builders import ADDRESSES, CLIENT, ECHO, service, world

DOMAIN = "default.svc.cluster.local"


def _table(**parts: Any) -> NameTable:
    return build_name_table(world(**parts))


def test_a_service_has_its_cluster_ip() -> None:
    assert _table().lookup(f"echo.{DOMAIN}") == (ADDRESSES.cluster_ip("default", "echo"),)


def test_a_short_name_is_the_client_s_affair() -> None:
    assert _table().lookup("echo") is None
    assert _table().lookup("echo.default") is None


def test_a_headless_service_has_its_ready_pods() -> None:
    services = (service("db", headless=True),)
    assert _table(services=services).lookup(f"db.{DOMAIN}") == (ECHO[0].ip, ECHO[1].ip)
    half = (ECHO[0], replace(ECHO[1], ready=False))
    assert _table(services=services, replicas=half).lookup(f"db.{DOMAIN}") == (ECHO[0].ip,)
    none = tuple(replace(r, ready=False) for r in ECHO)
    assert _table(services=services, replicas=none).lookup(f"db.{DOMAIN}") is None


def test_a_pod_of_a_stateful_set_has_a_name_of_its_own() -> None:
    pods = tuple(replace(r, labels={**r.labels, POD_NAME: f"db-{n}"}) for n, r in enumerate(ECHO))
    table = _table(services=(service("db", headless=True),), replicas=pods)
    assert table.lookup(f"db-1.db.{DOMAIN}") == (pods[1].ip,)
    assert table.services(f"_p._tcp.db.{DOMAIN}") == (
        (8080, f"db-0.db.{DOMAIN}"),
        (8080, f"db-1.db.{DOMAIN}"),
    )


def test_every_pod_has_a_name_from_its_address() -> None:
    dashed = CLIENT.ip.replace(".", "-")
    assert _table().lookup(f"{dashed}.default.pod.cluster.local") == (CLIENT.ip,)


def test_an_external_name_is_an_alias_that_is_followed() -> None:
    alias = Service("pay", "default", {}, (), external_name="bank.test.")
    table = _table(services=(alias,))
    assert table.canonical(f"pay.{DOMAIN}") == "bank.test"
    assert table.lookup(f"pay.{DOMAIN}") == (ADDRESSES.outside("bank.test"),)


def test_an_alias_of_nothing_known_has_no_address_and_a_circle_ends() -> None:
    lost = Service("lost", "default", {}, (), external_name="nowhere.test")
    there = Service("a", "default", {}, (), external_name=f"b.{DOMAIN}")
    back = Service("b", "default", {}, (), external_name=f"a.{DOMAIN}")
    table = _table(services=(lost, there, back))
    assert table.lookup(f"lost.{DOMAIN}") == ()
    assert table.lookup(f"a.{DOMAIN}") == ()


def test_a_named_port_has_an_srv_record_and_no_address() -> None:
    table = _table()
    assert table.services(f"_p._tcp.echo.{DOMAIN}") == ((80, f"echo.{DOMAIN}"),)
    assert table.lookup(f"_p._tcp.echo.{DOMAIN}") == ()
    assert table.services(f"_q._tcp.echo.{DOMAIN}") == ()


def test_a_host_outside_has_the_address_of_its_service_entry_or_one_of_ours() -> None:
    assert _table().lookup("bank.test") == (ADDRESSES.outside("bank.test"),)
    entry = builders.service_entry(
        "{hosts: [bank.test], addresses: [10.1.2.3/32, 10.9.0.0/16], resolution: DNS,"
        " ports: [{number: 80, name: http, protocol: HTTP}]}"
    )
    assert _table(service_entries=(entry,)).lookup("bank.test") == ("10.1.2.3",)


def test_an_unknown_name_does_not_exist() -> None:
    assert _table().lookup("example.com") is None
    assert _table().lookup("") is None
