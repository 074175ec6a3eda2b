"""Whether a sidecar has a change: the mark, and its endpoints."""

from __future__ import annotations

import json

from meshproof.cluster import live
from tests.fakes.cluster_machine import recorded


def test_recorded_routes_show_no_mark_and_the_mark_is_found_among_them() -> None:
    output = recorded("kubectl --kubeconfig kubeconfig exec deploy/svca-1", "", "config_dump")
    dump = json.loads(output[1])
    assert (
        live.mark_state(dump, "m1").missing == "ServiceEntry and DestinationRule and VirtualService"
    )
    route = {"name": "m1", "match": {"prefix": "/"}}
    dump["configs"][0]["route_config"]["virtual_hosts"].append({"routes": [route]})
    assert live.mark_state(dump, "m1") == live.MarkState(cluster=False, route=True)
    warm = {"name": "outbound|15999|m1|m1.mark.meshproof.invalid"}
    dump["configs"].append({"dynamic_warming_clusters": [{"cluster": warm}]})
    assert not live.mark_state(dump, "m1").cluster, "warming is not live"
    dump["configs"].append({"dynamic_active_clusters": [{"cluster": warm}]})
    assert live.mark_state(dump, "m1").cluster


def test_recorded_endpoint_slices_say_who_is_ready() -> None:
    slices = json.loads(recorded("kubectl --kubeconfig kubeconfig get endpointslices")[1])["items"]
    ready = live.ready_addresses(slices)
    assert len(ready["svcb.default.svc.cluster.local"]) == 2
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
