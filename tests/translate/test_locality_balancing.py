"""Priorities and weights of localities, after Istio 1.29.6 (networking/core/loadbalancer)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from meshproof.explain.clusters import members
from meshproof.explain.proxies import Proxy as ExplainedProxy
from meshproof.model.mesh_config import MeshConfig
from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.world import Address, Config, Replica
from tests.translate.builders import (
    CLIENT,
    destination_rule,
    outside,
    replica,
    service,
    service_entry,
    world,
)

_NAME = "outbound|80||echo.default.svc.cluster.local"
_PLACES = ("eu/1/a", "eu/1/b", "eu/2/a", "us/1/a", "ap/1/a")
_OUTLIER = "outlierDetection: {consecutive5xxErrors: 1}"


def _at(place: str, number: int, **labels: str) -> Replica:
    one = replica("echo", "v1", f"127.60.0.{number}")
    own = {**one.labels, "istio-locality": place, **labels}
    return replace(one, name=f"echo-{number}", labels=own)


def _replicas(*places: str) -> tuple[Replica, ...]:
    return tuple(_at(place, number) for number, place in enumerate(places, 1))


def _config(policy: str = "", place: str = "eu/1/a", **parts: Any) -> Config:
    rules = (destination_rule(f"{{host: echo, trafficPolicy: {{{policy}}}}}"),) if policy else ()
    proxy = replace(CLIENT, labels={**CLIENT.labels, "istio-locality": place})
    parts = {"replicas": _replicas(*_PLACES), "destination_rules": rules, **parts}
    return build_outbound(world(**parts), proxy)


def _groups(config: Config, name: str = _NAME) -> list[tuple[str, int, int, int]]:
    """Place, priority, weight and number of endpoints."""
    assignment: Any = config.endpoints.get(name) or config.clusters[name]["load_assignment"]
    return [
        (
            "/".join(group.get("locality", {}).values()),
            group.get("priority", 0),
            group.get("load_balancing_weight", 0),
            len(group["lb_endpoints"]),
        )
        for group in assignment["endpoints"]
    ]


def _priorities(config: Config) -> dict[str, int]:
    return {place: priority for place, priority, _, _ in _groups(config)}


def _setting(text: str, more: str = _OUTLIER) -> str:
    return f"loadBalancer: {{localityLbSetting: {{{text}}}}}" + (f", {more}" if more else "")


def test_without_outlier_detection_all_places_are_one_priority() -> None:
    config = _config()
    assert _priorities(config) == dict.fromkeys(_PLACES, 0)
    assert "locality_weighted_lb_config" not in str(config.clusters[_NAME])
    assert _priorities(_config(_setting("failover: [{from: eu, to: us}]", ""))) == dict.fromkeys(
        _PLACES, 0
    )


def test_with_outlier_detection_the_nearest_come_first() -> None:
    near = dict(zip(_PLACES, (0, 1, 2, 3, 3), strict=True))
    assert _priorities(_config(_OUTLIER)) == near
    assert _priorities(_config(_setting("enabled: true"))) == near
    assert _priorities(_config(_setting("enabled: false"))) == dict.fromkeys(_PLACES, 0)
    off = MeshConfig.model_validate({"localityLbSetting": {"enabled": False}})
    assert _priorities(_config(_OUTLIER, mesh=off)) == dict.fromkeys(_PLACES, 0)


def test_priorities_have_no_gaps() -> None:
    assert _priorities(_config(_OUTLIER, place="us/9/z")) == {
        "us/1/a": 0, "ap/1/a": 1, "eu/1/a": 1, "eu/1/b": 1, "eu/2/a": 1,
    }  # fmt: skip


def test_failover_names_the_next_region() -> None:
    config = _config(_setting("failover: [{from: eu, to: ap}, {from: us, to: eu}]"))
    assert _priorities(config) == dict(zip(_PLACES, (0, 1, 2, 4, 3), strict=True))
    assert config.clusters[_NAME]["common_lb_config"] == {
        "healthy_panic_threshold": {"value": 0.0},
        "locality_weighted_lb_config": {},
    }


def test_distribute_divides_the_requests_and_leaves_out_other_places() -> None:
    rule = "distribute: [{from: us/*, to: {us: 100}}, {from: eu/1/*, to: {eu/1/*: 80, us: 20}}]"
    config = _config(_setting(rule, ""), replicas=_replicas(*_PLACES, "eu/1/a", "eu/1/a"))
    assert _groups(config) == [
        ("eu/1/a", 0, 60, 3), ("eu/1/b", 0, 20, 1), ("us/1/a", 0, 20, 1),
    ]  # fmt: skip
    client = ExplainedProxy(
        "client", "", "", "", "", config.clusters, config.endpoints, config.listeners, config.routes
    )
    shares = members(client, config.clusters[_NAME], {})
    assert [round(m.share, 3) for m in shares] == [0.2, 0.2, 0.2, 0.2, 0.2]


def test_distribute_from_another_place_changes_nothing_but_the_weights_count() -> None:
    config = _config(_setting("distribute: [{from: us/*, to: {us: 100}}]", ""))
    assert _groups(config) == [(place, 0, 1, 1) for place in sorted(_PLACES)]


def test_failover_priority_compares_labels() -> None:
    replicas = (
        _at("eu/1/a", 1, tier="front"),
        _at("eu/1/a", 2),
        _at("us/1/a", 3, tier="front"),
        _at("us/1/a", 4, colour="blue"),
    )
    labels = '["topology.kubernetes.io/region", tier]'
    config = _config(_setting(f"failoverPriority: {labels}"), replicas=replicas)
    assert _groups(config) == [
        ("eu/1/a", 0, 1, 1), ("eu/1/a", 1, 1, 1), ("us/1/a", 2, 2, 2),
    ]  # fmt: skip
    blue = _config(_setting('failoverPriority: ["colour=blue"]'), replicas=replicas)
    assert _groups(blue) == [
        ("eu/1/a", 1, 2, 2), ("us/1/a", 0, 1, 1), ("us/1/a", 1, 1, 1),
    ]  # fmt: skip


def test_traffic_distribution_needs_no_rule() -> None:
    near = replace(service("echo"), traffic_distribution="zone")
    config = _config(services=(near,), replicas=_replicas(*_PLACES))
    assert _priorities(config) == dict(zip(_PLACES, (0, 0, 1, 2, 2), strict=True))
    off = _config(_setting("enabled: false", ""), services=(near,))
    assert _priorities(off) == dict.fromkeys(_PLACES, 0)


_ENTRY = """
hosts: [far.test]
ports: [{number: 80, name: http, protocol: HTTP}]
resolution: %s
endpoints:
- {address: near.test, locality: eu/1/a}
- {address: far-away.test, locality: us/1/a, labels: {colour: blue}}
- {address: nobody.test, locality: eu/1/b}
"""
_OUTSIDE = tuple(
    outside(host, {80: Address("127.0.0.9", port)})
    for host, port in (("near.test", 8001), ("far-away.test", 8002))
)


def _entry(resolution: str, policy: str) -> Config:
    rule = destination_rule(f"{{host: far.test, trafficPolicy: {{{policy}}}}}")
    return _config(
        service_entries=(service_entry(_ENTRY % resolution),),
        outside=_OUTSIDE,
        destination_rules=(rule,),
    )


def test_endpoints_of_entries_have_the_locality_that_is_written() -> None:
    name = "outbound|80||far.test"
    assert _groups(_entry("DNS", _OUTLIER), name) == [("eu/1/a", 0, 0, 1), ("us/1/a", 1, 0, 1)]
    blue = _setting('failoverPriority: ["colour=blue"]')
    # Istio ignores failoverPriority where the cluster is of DNS names.
    assert [g[1] for g in _groups(_entry("DNS", blue), name)] == [0, 0]


def test_a_service_entry_of_pods_prefers_by_its_annotation() -> None:
    entry = service_entry(
        "{hosts: [echo.test], ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}],"
        "resolution: STATIC, workloadSelector: {labels: {app: echo}}}"
    )
    config = _config(service_entries=(replace(entry, traffic_distribution="zone"),))
    assert [g[:2] for g in _groups(config, "outbound|80||echo.test")] == [
        ("ap/1/a", 2), ("eu/1/a", 0), ("eu/1/b", 0), ("eu/2/a", 1), ("us/1/a", 2),
    ]  # fmt: skip


def test_the_model_reads_what_people_write() -> None:
    text = "{failoverPriority: [a, b=c], enabled: true}"
    rule = destination_rule(
        f"{{host: echo, trafficPolicy: {{loadBalancer: {{localityLbSetting: {text}}}}}}}"
    )
    policy = rule.spec.traffic_policy
    assert policy is not None
    assert policy.load_balancer is not None
    assert policy.load_balancer.locality_lb_setting is not None
    assert policy.load_balancer.locality_lb_setting.failover_priority == yaml.safe_load("[a, b=c]")
