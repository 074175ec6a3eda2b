"""Shares of workloads in a service's calls, from YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.config.world_builder import build_world
from meshproof.mesh import Share
from meshproof.model.reader import read_resources, read_text
from meshproof.translate.traffic_shares import serving_workloads, workload_shares
from meshproof.translate.world import Replica, World

ROOT = Path(__file__).parents[2]
HOST = "svcb.payments.svc.cluster.local"


def replica(workload: str, app: str, version: str) -> Replica:
    labels = {"app": app, "version": version}
    return Replica(f"{workload}-1", "payments", workload, labels, app, "127.0.0.2", (), True)


REPLICAS = (
    replica("svca", "svca", "v0.1"),
    replica("svcb-v0.1", "svcb", "v0.1"),
    replica("svcb-v0.2", "svcb", "v0.2"),
)


def build_mesh(*rules: str, text: str = "") -> World:
    result = read_resources([ROOT / "manifests/20-services.yaml"], namespace="payments")
    result += read_resources([ROOT / "rules" / rule for rule in rules], namespace="payments")
    result += read_text(text, "t.yaml", namespace="payments") if text else []
    return build_world(Store().apply(result)[0], REPLICAS, ())


def split(result: list[Share]) -> dict[tuple[str, ...], tuple[float, str]]:
    assert {share.host for share in result} <= {HOST}
    return {share.workloads: (share.percent, share.only) for share in result}


@pytest.mark.parametrize(
    "rule", ["svcb_v0_1_50_v0_2_50.yaml", "v1alpha2/route-rules-svcb-v0.2-50.yaml"]
)
def test_both_dialects_have_the_same_shares(rule: str) -> None:
    result = split(workload_shares(build_mesh(rule)))
    assert result == {("svcb-v0.1",): (50, ""), ("svcb-v0.2",): (50, "")}


def test_one_destination_gets_all() -> None:
    assert split(workload_shares(build_mesh("svcb_v0_2_100.yaml"))) == {("svcb-v0.2",): (100, "")}


def test_a_match_is_told() -> None:
    result = split(workload_shares(build_mesh("svcb_by_header.yaml")))
    assert result == {
        ("svcb-v0.2",): (100, "header end-user"),
        ("svcb-v0.1",): (100, ""),
    }


def test_weights_are_parts_of_their_sum_and_a_host_outside_is_left_out() -> None:
    text = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb}
spec:
  hosts: [svcb]
  http:
  - route:
    - {destination: {host: svcb}, weight: 30}
    - {destination: {host: msgd.test}, weight: 70}
"""
    assert split(workload_shares(build_mesh(text=text))) == {("svcb-v0.1", "svcb-v0.2"): (30, "")}


def test_without_a_rule_there_is_no_share_but_who_serves_is_known() -> None:
    assert workload_shares(build_mesh()) == []
    assert serving_workloads(build_mesh())[HOST] == ("svcb-v0.1", "svcb-v0.2")
