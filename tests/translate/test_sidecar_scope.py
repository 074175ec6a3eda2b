"""Sidecar resources: what a proxy imports, and what it lets out without a rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meshproof.translate.envoy_config import build_outbound, build_sidecar
from meshproof.translate.outbound_scope import outbound_scope
from meshproof.translate.sidecar_scope import governing_sidecar
from meshproof.translate.world import Address
from tests.translate import builders
from tests.translate.builders import CLIENT, service, vhosts, virtual_service, world
from tests.translate.policy_builders import ROOT, rule

SERVICES = (service("echo"), service("other"), service("far", "elsewhere"))
ECHO = "echo.default.svc.cluster.local:80"
OTHER = "other.default.svc.cluster.local:80"
FAR = "far.elsewhere.svc.cluster.local:80"


def _sidecar(text: str, name: str = "s", namespace: str = "default") -> Any:
    return rule("Sidecar", text, name, namespace)


def _imported(*hosts: str, **parts: Any) -> set[str]:
    rules = (_sidecar(f"{{egress: [{{hosts: {list(hosts)}}}]}}"),)
    mesh = world(services=SERVICES, sidecars=rules, **parts)
    return set(vhosts(mesh)) - {"block_all"}


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["*/*"], {ECHO, OTHER, FAR}),
        (["./*"], {ECHO, OTHER}),
        (["~/*"], set()),
        (["elsewhere/*"], {FAR}),
        (["default/echo.default.svc.cluster.local"], {ECHO}),
        (["*/far.elsewhere.svc.cluster.local", "./*"], {ECHO, OTHER, FAR}),
        (["./*.elsewhere.svc.cluster.local"], set()),
        (["*/*.elsewhere.svc.cluster.local"], {FAR}),
    ],
)
def test_egress_hosts(hosts: list[str], expected: set[str]) -> None:
    assert _imported(*hosts) == expected


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        ("{port: {number: 80}, hosts: ['./echo.default.svc.cluster.local']}", {"echo:80"}),
        (
            "{port: {number: 80}, hosts: ['./echo.default.svc.cluster.local']}, {hosts: ['./*']}",
            {"echo:80", "echo:81", "other:81"},
        ),
        ("{port: {number: 81}, captureMode: DEFAULT, hosts: ['./*']}", {"echo:81", "other:81"}),
    ],
)
def test_hosts_of_a_port_are_for_that_port_and_the_others_for_the_rest(
    listeners: str, expected: set[str]
) -> None:
    both = (service("echo", ports=(80, 81)), service("other", ports=(80, 81)))
    mesh = world(services=both, sidecars=(_sidecar(f"{{egress: [{listeners}]}}"),))
    result = {n.replace(".default.svc.cluster.local", "") for n in vhosts(mesh)} - {"block_all"}
    assert result == expected
    clusters = {c.split("|")[3].split(".")[0] + ":" + c.split("|")[1] for c in _clusters(mesh)}
    assert clusters == expected


def _clusters(result: Any) -> set[str]:
    return set(build_outbound(result, CLIENT).clusters)


def test_what_is_not_imported_has_no_cluster_either() -> None:
    rules = (_sidecar("{egress: [{hosts: ['./echo.default.svc.cluster.local']}]}"),)
    clusters = build_outbound(world(services=SERVICES, sidecars=rules), CLIENT).clusters
    assert set(clusters) == {"outbound|80||echo.default.svc.cluster.local"}


def test_an_imported_rule_still_leads_where_it_leads() -> None:
    leads = virtual_service("{hosts: [echo], http: [{route: [{destination: {host: other}}]}]}")
    rules = (_sidecar("{egress: [{hosts: ['./echo.default.svc.cluster.local']}]}"),)
    mesh = world(services=SERVICES, sidecars=rules, virtual_services=(leads,))
    assert "outbound|80||other.default.svc.cluster.local" in build_outbound(mesh, CLIENT).clusters
    assert set(vhosts(mesh)) == {ECHO, "block_all"}


def test_a_rule_that_is_not_imported_says_nothing() -> None:
    leads = virtual_service(
        "{hosts: [far.elsewhere.svc.cluster.local],"
        " http: [{route: [{destination: {host: echo}}]}]}",
        namespace="default",
    )
    parts: Any = {"virtual_services": (leads,)}
    assert FAR not in _imported("elsewhere/echo.elsewhere.svc.cluster.local", **parts)
    rules = (_sidecar("{egress: [{hosts: ['elsewhere/*']}]}"),)
    mesh = world(services=SERVICES, sidecars=rules, **parts)
    assert vhosts(mesh)[FAR]["routes"][-1]["name"] == "default"


@pytest.mark.parametrize(
    ("rules", "name"),
    [
        ([], None),
        ([("a", ROOT, "")], "a"),
        ([("a", ROOT, ""), ("b", "default", "")], "b"),
        ([("a", "default", ""), ("b", "default", "front")], "b"),
        ([("a", "default", ""), ("b", "default", "back")], "a"),
        ([("a", "default", ""), ("b", "default", "")], "a"),
        ([("a", "elsewhere", "")], None),
        ([("a", ROOT, "front")], None),
    ],
)
def test_which_sidecar_rules_a_workload(rules: list[tuple[str, str, str]], name: str) -> None:
    config = tuple(
        _sidecar(f"{{workloadSelector: {{labels: {{tier: {tier}}}}}}}" if tier else "{}", n, where)
        for n, where, tier in rules
    )
    result = governing_sidecar(config, CLIENT)
    assert (result.name if result else None) == name


def test_workloads_under_different_sidecars_share_no_configuration() -> None:
    mesh = world(sidecars=(_sidecar("{workloadSelector: {labels: {tier: front}}}"),))
    back = replace(CLIENT, labels={"app": "client"})
    assert outbound_scope(mesh, CLIENT) != outbound_scope(mesh, back)
    assert outbound_scope(mesh, CLIENT) == outbound_scope(mesh, replace(CLIENT, workload="twin"))


def _virtual_hosts(policy: str, **parts: Any) -> dict[str, Any]:
    rules = (_sidecar(f"{{outboundTrafficPolicy: {policy}}}"),)
    real = Address("127.60.9.1", 19997)
    outside = (builders.outside("m.test", {80: real, 9997: real}),)
    return vhosts(world(sidecars=rules, outside=outside, **parts))


@pytest.mark.parametrize("policy", ["{}", "{mode: REGISTRY_ONLY}"])
def test_registry_only_lets_out_what_rules_open(policy: str) -> None:
    assert [name for name in _virtual_hosts(policy) if name.startswith("m.test")] == []


def test_allow_any_reaches_declared_hosts_and_no_others() -> None:
    result = _virtual_hosts("{mode: ALLOW_ANY}")
    tunnel, plain = result["m.test:9997"]["routes"]
    assert plain["route"]["cluster"] == tunnel["route"]["cluster"] == "PassthroughCluster"
    assert plain["route"]["metadata_match"] == {
        "filter_metadata": {"envoy.lb": {"to": "m.test:9997"}}
    }
    assert tunnel["route"]["upgrade_configs"] == [{"upgrade_type": "CONNECT", "connect_config": {}}]
    assert result["m.test:80"]["domains"] == ["m.test", "m.test:80", "m.test.", "m.test.:80"]
    assert result["block_all"]["domains"] == ["*"]


EGRESS = "{mode: ALLOW_ANY, egressProxy: {host: out.test, subset: a, port: {number: 8443}}}"


def test_an_egress_proxy_takes_what_is_for_no_known_host() -> None:
    """Without pods tunnels, too; declared hosts are no exception."""
    result = _virtual_hosts(EGRESS)
    assert not [name for name in result if name.startswith("m.test")]
    (others,) = [host for host in result.values() if host["domains"] == ["*"]]
    tunnel, plain = others["routes"]
    assert tunnel["match"] == {"connect_matcher": {}}
    assert tunnel["route"]["upgrade_configs"] == [{"upgrade_type": "CONNECT", "connect_config": {}}]
    assert plain["route"]["cluster"] == tunnel["route"]["cluster"] == "outbound|8443|a|out.test"


def test_a_rule_for_a_host_comes_before_allow_any() -> None:
    entry = builders.service_entry(
        "{hosts: [m.test], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}"
    )
    result = _virtual_hosts("{mode: ALLOW_ANY}", service_entries=(entry,))
    assert result["m.test:80"]["routes"][-1]["route"]["cluster"] == "outbound|80||m.test"


def test_a_pool_towards_the_app_stands_for_the_service_s_own() -> None:
    pool = "connectionPool: {tcp: {maxConnections: 5}}"
    rule_of_service = builders.destination_rule(f"{{host: echo, trafficPolicy: {{{pool}}}}}")
    text = "{inboundConnectionPool: {tcp: {maxConnections: 9}}, egress: [{hosts: ['*/*']}]}"

    def limit(**parts: Any) -> int:
        config: Any = build_sidecar(
            world(destination_rules=(rule_of_service,), **parts), builders.ECHO[0]
        )
        (threshold,) = config.clusters["inbound|8080||"]["circuit_breakers"]["thresholds"]
        result: int = threshold["max_connections"]
        return result

    assert limit() == 5
    assert limit(sidecars=(_sidecar(text),)) == 9
