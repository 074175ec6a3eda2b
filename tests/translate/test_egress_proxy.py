"""outboundTrafficPolicy.egressProxy in a pod; without pods: test_sidecar_scope."""

from __future__ import annotations

from typing import Any

from meshproof.model.sidecar import Sidecar
from meshproof.translate.world import Named
from tests.translate.pod_builders import service, sidecar, targets, world

CLUSTER = "outbound|8443||out.test"


def test_an_egress_proxy_takes_connections_and_requests_that_no_rule_opens() -> None:
    proxy = {"host": "out.test", "port": {"number": 8443}}
    policy = {"mode": "ALLOW_ANY", "egressProxy": proxy}
    spec = Sidecar.model_validate({"outboundTrafficPolicy": policy})
    mesh = world(services=(service("echo"),), sidecars=(Named("any", "default", spec),))
    assert targets(mesh, "virtualOutbound")[1:] == [({}, CLUSTER)]
    (requests, others) = targets(mesh, "0.0.0.0_80")
    assert requests[1] == "routes 80"
    assert others == ({}, CLUSTER)
    table: Any = sidecar(mesh).routes["80"]
    (route,) = table["virtual_hosts"][-1]["routes"]
    assert route["route"]["cluster"] == CLUSTER
