"""The shares of traffic that rules set for all calls."""

from __future__ import annotations

from meshproof.mesh import ReplicaStatus, Share, Topology
from meshproof.report.changes import traffic_shares


def test_shares_are_by_version_where_rules_hold_for_all() -> None:
    def share(workload: tuple[str, ...], percent: float, only: str = "") -> Share:
        return Share("svcb.shop.svc.cluster.local", "shop", workload, percent, only, "")

    replicas = [
        ReplicaStatus(f"r{n}", workload, "shop", {"version": version}, True, 0, "")
        for n, (workload, version) in enumerate({"one": "v1", "two": "v2"}.items())
    ]
    rules = (share(("one",), 90), share(("two",), 10), share(("two",), 100, "header x"),
             share(("one", "two"), 100))  # fmt: skip
    assert traffic_shares(Topology(rules, {}, {}), replicas) == {"svcb": {"v1": 90, "v2": 10}}
