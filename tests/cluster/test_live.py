"""Whether a sidecar has a change: the mark, and its endpoints."""

from __future__ import annotations

import json

from meshproof.cluster import live
from tests.fakes.cluster_machine import recorded

MARKED = {"metadata": {"filter_metadata": {"istio": {}, "meshproof": {"mark": "m1"}}}}
VERSIONS = {
    "cluster_manager.cds.version_text": "2026-11-30T19:00:00Z/9",
    "listener_manager.lds.version_text": "2026-11-30T19:00:00Z/9",
}


def test_a_cluster_and_the_routes_carry_the_mark() -> None:
    name = "BlackHoleCluster"
    assert live.cluster_mark({"configs": [{"cluster": {"name": name, **MARKED}}]}) == "m1"
    assert not live.cluster_mark({"configs": [{"cluster": {"name": name}}]})
    assert not live.cluster_mark({})
    routes = live.route_marks(json.loads(recorded("kubectl", "svca's routes")[1]))
    mark = live.cluster_mark(json.loads(recorded("kubectl", "svca's BlackHoleCluster")[1]))
    assert mark
    assert {"80", "9997"} & set(routes), routes
    assert set(routes.values()) == {mark}
    assert live.route_marks({"configs": [{"route_config": {"name": "80", **MARKED}}]}) == {
        "80": "m1"
    }


def test_a_change_is_live_where_clusters_listeners_and_routes_are_of_its_push() -> None:
    def reason(mark: str = "m1", routes: str = "m1", **stats: object) -> str:
        named = {f"listener_manager.{name}": value for name, value in stats.items()}
        return live.EnvoyState(mark, {"80": routes}, {**VERSIONS, **named}).reason("m1")

    assert not reason()
    assert "does not show the mark m1 yet, but m0" in reason("m0")
    assert "routes 80 are older" in reason(routes="m0")
    older = {"lds.version_text": "2026-11-30T19:00:00Z/8"}
    assert "listeners (2026-11-30T19:00:00Z/8) are older" in reason(**older)
    newer = {"lds.version_text": "2026-11-30T19:00:01Z/10"}
    assert not reason(**newer), "a later push of listeners alone"


def test_a_change_is_live_once_the_old_listeners_have_drained() -> None:
    stats = {
        **VERSIONS,
        "listener_manager.total_listeners_warming": 0,
        "listener_manager.total_listeners_draining": 1,
        "listener_manager.total_filter_chains_draining": 4,
    }
    reason = live.EnvoyState("m1", {}, stats).reason("m1")
    assert reason == "it still has 1 listeners draining, 4 filter chains draining"


def test_recorded_endpoint_slices_say_who_is_ready() -> None:
    slices = json.loads(recorded("kubectl", "of the suite")[1])["items"]
    ready = live.ready_addresses(slices)
    assert len(ready["svcb.payments.svc.cluster.local"]) == 2
    for one in slices:
        for endpoint in one["endpoints"]:
            endpoint["conditions"]["ready"] = False
    assert not any(live.ready_addresses(slices).values())


def test_endpoints_are_compared_service_by_service() -> None:
    actual = {
        "outbound|80||a.ns.svc.cluster.local": {"1", "2"},
        "outbound|80|v1|a.ns.svc.cluster.local": {"1"},
        "outbound|53||dns.kube-system.svc.cluster.local": {"9"},
        "inbound|8080||": set(),
    }
    assert not live.stale_service(actual, {"a.ns.svc.cluster.local": {"1", "2"}})
    assert "wanted ['1']" in live.stale_service(actual, {"a.ns.svc.cluster.local": {"1"}})


def test_a_listener_that_envoy_refused_is_named_with_its_error() -> None:
    """Recorded from Envoy: ``config_dump?resource=dynamic_listeners&mask=name,error_state.details``
    after an update with a good listener and a bad new one."""
    error = "failed to create an expression: No overload found in reference resolve step for code"
    kind = "type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener"
    dump = {
        "configs": [
            {"@type": kind, "name": "good"},
            {"@type": kind, "name": "bad", "error_state": {"details": error}},
            {"@type": kind, "error_state": {"details": error}},
        ]
    }
    assert live.rejected_listeners(dump) == {"bad": error}
    assert live.rejected_listeners({}) == {}


def test_an_error_older_than_the_change_is_not_the_changes() -> None:
    state = {"details": "bad", "last_update_attempt": "2026-11-30T19:00:00.100Z"}
    dump = {"configs": [{"name": "one", "error_state": state}]}
    assert live.rejected_listeners(dump, "2026-11-30T19:00:00.050Z") == {"one": "bad"}
    assert not live.rejected_listeners(dump, "2026-11-30T19:00:00.200Z")
