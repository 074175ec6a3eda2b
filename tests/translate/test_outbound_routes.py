"""The hosts of a sidecar, their names, and the rule in force for each."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.world import Proxy
from tests.translate.builders import (
    CLIENT,
    service,
    service_entry,
    vhost_routes,
    vhosts,
    virtual_service,
    world,
)

ECHO = "echo.default.svc.cluster.local"
ELSEWHERE = Proxy("sidecar", "elsewhere", "client", {}, "client")


def _rule(host: str, to: str, more: str = "", **names: str) -> Any:
    text = f"{{hosts: ['{host}'], http: [{{route: [{{destination: {{host: {to}}}}}]}}]{more}}}"
    return virtual_service(text, **names)


def _destination(rules: tuple[Any, ...], host: str = ECHO, **parts: Any) -> str:
    proxy = parts.pop("proxy", CLIENT)
    port = parts.pop("port", 80)
    mesh = world(virtual_services=rules, **parts)
    cluster: str = vhost_routes(mesh, host, port, proxy)[0]["route"]["cluster"]
    return cluster.split("|")[3].split(".", maxsplit=1)[0]


def test_names_of_a_service_from_its_own_namespace() -> None:
    domains = vhosts(world())[f"{ECHO}:80"]["domains"]
    names = [ECHO, f"{ECHO}.", "echo", "echo.default.svc", "echo.default"]
    assert domains == [d for n in names for d in (n, f"{n}:80")]


def test_from_another_namespace_the_bare_name_is_unknown() -> None:
    domains = vhosts(world(), ELSEWHERE)[f"{ECHO}:80"]["domains"]
    assert "echo" not in domains
    assert "echo.default" in domains


def test_a_port_other_than_80_is_always_part_of_the_name() -> None:
    domains = vhosts(world(services=(service("echo", ports=(8080,)),)))[f"{ECHO}:8080"]["domains"]
    assert "echo:8080" in domains
    assert "echo" not in domains


def test_addresses_of_an_entry_are_names_ranges_are_not() -> None:
    entry = service_entry(
        "{hosts: [m.test], addresses: [10.0.0.1/32, 10.0.0.2, 10.1.0.0/16],"
        "ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}"
    )
    domains = vhosts(world(service_entries=(entry,)))["m.test:80"]["domains"]
    assert {"m.test", "m.test.", "10.0.0.1", "10.0.0.1:80", "10.0.0.2"} <= set(domains)
    assert not any(d.startswith("10.1.") for d in domains)


def test_hosts_are_sorted_and_the_refusal_is_last() -> None:
    names = list(vhosts(world()))
    assert names == [*sorted(names[:-1]), "block_all"]
    refusal = vhosts(world())["block_all"]
    assert refusal["domains"] == ["*"]
    assert [r["match"] for r in refusal["routes"]] == [{"connect_matcher": {}}, {"prefix": "/"}]
    assert all(r["direct_response"] == {"status": 502} for r in refusal["routes"])


def test_no_domain_stands_twice() -> None:
    entries = tuple(
        service_entry(
            f"{{hosts: [{host}], addresses: [10.0.0.1],"
            "ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}"
        )
        for host in ("a.test", "A.test", "echo.default")
    )
    result = vhosts(world(service_entries=entries))
    domains = [d.lower() for v in result.values() for d in v["domains"]]
    assert len(domains) == len(set(domains))
    assert "echo.default" in result["echo.default:80"]["domains"]
    assert "10.0.0.1" in result["a.test:80"]["domains"]


def test_without_a_rule_a_service_has_its_default_route() -> None:
    route = vhost_routes(world(), ECHO)[0]
    assert route["name"] == "default"
    assert route["route"]["cluster"] == f"outbound|80||{ECHO}"
    assert route["decorator"] == {"operation": f"{ECHO}:80/*"}
    assert "retry_policy" in route["route"]


def test_the_first_rule_of_a_host_wins() -> None:
    assert _destination((_rule("echo", "one"), _rule("echo", "two"))) == "one"


def test_a_rule_that_says_nothing_here_gives_way_to_the_next() -> None:
    silent = virtual_service(
        "{hosts: [echo], http: [{match: [{port: 1}], route: [{destination: {host: one}}]}]}"
    )
    assert _destination((silent, _rule("echo", "two"))) == "two"


def test_private_rules_come_first_and_are_unseen_elsewhere() -> None:
    rules = (_rule("echo", "one"), _rule("echo", "two", ", exportTo: ['.']"))
    assert _destination(rules) == "two"
    assert _destination(rules, proxy=ELSEWHERE) == "one"


def test_a_rule_for_gateways_alone_is_not_for_sidecars() -> None:
    assert _destination((_rule("echo", "one", ", gateways: [gw]"),)) == "echo"
    assert _destination((_rule("echo", "one", ", gateways: [gw, mesh]"),)) == "one"


@pytest.mark.parametrize("host", ["*", "*.local", "*.default.svc.cluster.local"])
def test_a_wildcard_covers_services(host: str) -> None:
    assert _destination((_rule(host, "one"),)) == "one"


def test_a_name_beats_a_wildcard_and_the_longest_wildcard_wins() -> None:
    rules = (_rule("*", "any"), _rule("*.default.svc.cluster.local", "near"))
    assert _destination(rules) == "near"
    assert _destination((*rules, _rule("echo", "exact"))) == "exact"


def test_a_host_without_a_service_exists_on_port_80_alone() -> None:
    services = (service("echo", ports=(80, 8080)),)
    result = vhosts(world(services=services, virtual_services=(_rule("ghost.test", "echo"),)))
    assert result["ghost.test:80"]["domains"] == ["ghost.test", "ghost.test:80"]
    assert "ghost.test:8080" not in result


def test_a_host_without_a_service_stands_beside_one_at_its_port_too() -> None:
    rule = virtual_service(
        "{hosts: [echo, Ghost.test], http: [{route: [{destination: {host: echo}}]}]}"
    )
    services = (service("echo", ports=(8080,)), service("other", ports=(9090,)))
    result = vhosts(world(services=services, virtual_services=(rule,)))
    assert "ghost.test:8080" in result["ghost.test:8080"]["domains"]
    assert "ghost.test:9090" not in result


def test_upper_and_lower_case_of_a_host_are_the_same() -> None:
    assert _destination((_rule("ECHO", "one"),)) == "one"


def test_a_service_without_the_port_is_called_by_its_full_name_alone() -> None:
    services = (service("echo", ports=(8080,)),)
    result = vhosts(world(services=services, virtual_services=(_rule("echo", "echo"),)))
    assert result[f"{ECHO}:80"]["domains"] == [ECHO, f"{ECHO}:80"]


def test_a_rule_of_a_service_of_another_port_opens_port_80_too() -> None:
    """Istio's quirk: on port 80 the host is not a service, so it is served as a bare name. Its
    destination means port 80 as well, which the service lacks: 503 NC."""
    services = (service("echo", ports=(8080,)),)
    mesh = world(services=services, virtual_services=(_rule("echo", "echo"),))
    assert vhost_routes(mesh, ECHO, 80)[0]["route"]["cluster"] == f"outbound|80||{ECHO}"


@pytest.mark.parametrize(
    "more", ["", ", mirror: {host: depot}", ", mirrors: [{destination: {host: depot}}]"]
)
def test_a_destination_without_a_port_means_the_port_that_was_called(more: str) -> None:
    rule = virtual_service(
        f"{{hosts: [shop.test], http: [{{route: [{{destination: {{host: depot}}}}]{more}}}]}}"
    )
    mesh = world(services=(service("depot", ports=(7000,)),), virtual_services=(rule,))
    action = vhost_routes(mesh, "shop.test", 80)[0]["route"]
    clusters = (
        [action["cluster"], *(m["cluster"] for m in action["request_mirror_policies"])]
        if more
        else [action["cluster"]]
    )
    assert set(clusters) == {"outbound|80||depot.default.svc.cluster.local"}


def test_weighted_destinations_without_a_port_mean_the_port_that_was_called() -> None:
    rule = virtual_service(
        "{hosts: [echo], http: [{route: [{destination: {host: echo}, weight: 50},"
        "{destination: {host: depot}, weight: 25},"
        "{destination: {host: depot, port: {number: 7000}}, weight: 25}]}]}"
    )
    services = (service("echo", ports=(80, 81)), service("depot", ports=(7000,)))
    mesh = world(services=services, virtual_services=(rule,))
    depot = "depot.default.svc.cluster.local"
    for port in (80, 81):
        clusters = vhost_routes(mesh, ECHO, port)[0]["route"]["weighted_clusters"]["clusters"]
        expected = [
            f"outbound|{port}||{ECHO}",
            f"outbound|{port}||{depot}",
            f"outbound|7000||{depot}",
        ]
        assert [c["name"] for c in clusters] == expected


@pytest.mark.parametrize("host", ["pay.test", "*.test"])
def test_an_http_rule_makes_nothing_of_a_port_that_is_not_http(host: str) -> None:
    entry = service_entry(
        "{hosts: [pay.test], ports: [{number: 80, name: https, protocol: HTTPS}], resolution: DNS}"
    )
    mesh = world(service_entries=(entry,), virtual_services=(_rule(host, "echo"),))
    assert f"{host}:80" not in vhosts(mesh) or host == "pay.test"
    routes = vhosts(mesh)["pay.test:80"]["routes"]
    assert "connect_matcher" in routes[0]["match"]
    assert [r.get("direct_response", {}).get("status") for r in routes[1:]] == [502]


def test_another_host_of_such_a_rule_is_served_on_port_80() -> None:
    entry = service_entry(
        "{hosts: [pay.test], ports: [{number: 80, name: https, protocol: HTTPS}], resolution: DNS}"
    )
    rule = virtual_service(
        "{hosts: [pay.test, bare.test], http: [{route: [{destination: {host: echo}}]}]}"
    )
    mesh = world(service_entries=(entry,), virtual_services=(rule,))
    assert vhost_routes(mesh, "bare.test", 80)[0]["route"]["cluster"] == f"outbound|80||{ECHO}"


def test_short_hosts_belong_to_the_rule_s_namespace() -> None:
    there = _rule("echo", "one", namespace="elsewhere")
    assert _destination((there,)) == "echo"


def test_an_entry_for_its_own_namespace_is_unknown_elsewhere() -> None:
    entry = service_entry(
        "{hosts: [m.test], exportTo: ['.'],"
        "ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}"
    )
    mesh = world(service_entries=(entry,))
    assert "m.test:80" in vhosts(mesh)
    assert "m.test:80" not in vhosts(mesh, ELSEWHERE)


def _connect(result: Any, name: str) -> dict[str, Any]:
    routes = vhosts(result)[name]["routes"]
    assert "connect_matcher" in routes[0]["match"], "CONNECT must be decided before anything else"
    action: dict[str, Any] = routes[0]["route"]
    return action


def test_connect_to_an_http_port_is_led_back_to_the_same_rules() -> None:
    action = _connect(world(), f"{ECHO}:80")
    assert action["cluster"] == "connect_loop|80"
    assert action["upgrade_configs"] == [{"upgrade_type": "CONNECT", "connect_config": {}}]


def test_inside_of_a_tunnel_its_port_decides() -> None:
    """F13: whatever port, or none, a request names."""
    mesh = world(services=(service("echo", ports=(80, 81)),))
    table: Any = build_outbound(mesh, CLIENT).routes["81"]
    assert table["ignore_port_in_host_matching"] is True
    (host,) = (h for h in table["virtual_hosts"] if "echo" in h["domains"])
    (route,) = host["routes"]
    assert route["route"]["cluster"] == f"outbound|81||{ECHO}"


@pytest.mark.parametrize(("protocol", "plain"), [("HTTPS", 502), ("TLS", 502), ("TCP", None)])
def test_connect_to_another_protocol_is_tunnelled(protocol: str, plain: int | None) -> None:
    entry = service_entry(
        f"{{hosts: [m.test], ports: [{{number: 443, name: x, protocol: {protocol}}}],"
        "resolution: DNS}"
    )
    mesh = world(service_entries=(entry,))
    assert _connect(mesh, "m.test:443")["cluster"] == "outbound|443||m.test"
    other = vhosts(mesh)["m.test:443"]["routes"][1]
    assert other.get("direct_response", {}).get("status") == plain


def test_every_virtual_host_decides_connect() -> None:
    for virtual_host in vhosts(world(virtual_services=(_rule("ghost.test", "echo"),))).values():
        assert "connect_matcher" in virtual_host["routes"][0]["match"]
