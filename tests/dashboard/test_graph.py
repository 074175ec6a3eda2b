"""The graph: who is drawn, with which figures, set beside measured."""

from __future__ import annotations

from typing import Any

from meshproof.dashboard.graph import build_graph
from meshproof.telemetry.traffic_counts import between, read
from tests.fakes.mesh_texts import GATEWAY, REPLICAS, TOPOLOGY, replica, requests, share

Json = dict[str, Any]


def draw(text: str, topology: Json = TOPOLOGY, before: str = "", seconds: float = 10) -> Json:
    totals = between({}, read(text))
    return build_graph(between(read(before), read(text)), totals, seconds, REPLICAS, topology)


def nodes(result: Json) -> dict[str, Json]:
    return {node["id"]: node for node in result["nodes"]}


def edges(result: Json) -> dict[tuple[str, str], Json]:
    return {(edge["source"], edge["target"]): edge for edge in result["edges"]}


SPLIT = requests(88) + requests(12, target="payments/svcb-v0.2", version="v0.2")
V1 = ("payments/svca", "payments/svcb-v0.1")
V2 = ("payments/svca", "payments/svcb-v0.2")


def test_set_stands_beside_measured() -> None:
    result = edges(draw(SPLIT))
    assert (result[V1]["set"], result[V1]["measured"]) == (90, 88)
    assert (result[V2]["set"], result[V2]["measured"]) == (10, 12)
    assert (result[V1]["rate"], result[V1]["sent"]) == (8.8, 100)


def test_a_version_that_gets_nothing_is_set_to_none_of_it() -> None:
    topology = {**TOPOLOGY, "shares": [share("svcb-v0.2", 100)]}
    assert edges(draw(SPLIT, topology))[V1]["set"] == 0


def test_without_a_rule_nothing_is_set_and_it_is_said() -> None:
    result = edges(draw(SPLIT, {**TOPOLOGY, "shares": []}))[V1]
    assert (result["set"], result["measured"], result["note"]) == (
        None,
        88,
        "no rule: load balanced",
    )


def test_a_rule_for_some_calls_is_a_note() -> None:
    shares = [share("svcb-v0.2", 100, "header end-user"), share("svcb-v0.1", 100)]
    result = edges(draw(SPLIT, {**TOPOLOGY, "shares": shares}))
    assert (result[V2]["set"], result[V2]["note"]) == (0, "100 % of header end-user")
    assert (result[V1]["set"], result[V1]["note"]) == (100, "")


def test_a_share_of_several_workloads_says_of_none_how_much() -> None:
    topology = {**TOPOLOGY, "shares": [share("svcb-v0.1", 100, "", "svcb-v0.2")]}
    assert edges(draw(SPLIT, topology))[V1]["set"] is None


def test_a_mesh_that_knows_no_topology_is_drawn_without_shares() -> None:
    assert edges(draw(SPLIT, {}))[V1]["measured"] is None


def test_what_is_seen_to_serve_is_measured_and_nothing_is_said_of_rules() -> None:
    result = edges(draw(SPLIT, {"serving": TOPOLOGY["serving"]}))[V1]
    assert (result["set"], result["measured"], result["note"]) == (None, 88, "")


def test_the_host_outside_is_one_node_under_all_its_names() -> None:
    text = requests(5, "payments/svcb-v0.1", "unknown/unknown", service="by-address") + requests(
        7, "payments/svcb-v0.1", "unknown/unknown", service="msgd.test", code="503"
    )
    result = draw(text)
    (edge,) = result["edges"]
    assert (edge["target"], edge["total"], edge["rate"]) == ("outside/msgd.test", 12, 1.2)
    assert round(edge["failed"], 1) == 58.3
    assert nodes(result)["outside/msgd.test"]["kind"] == "outside"


def test_what_no_rule_lets_out_ends_at_a_closed_door() -> None:
    result = draw(requests(5, "payments/svcb-v0.1", "/", service="", code="502"))
    assert nodes(result)["refused"]["title"] == "closed"
    assert edges(result)["payments/svcb-v0.1", "refused"]["failed"] == 100
    istio = draw(requests(5, target="unknown/unknown", service="BlackHoleCluster"))
    assert "refused" in nodes(istio)


def test_an_edge_stays_when_it_falls_silent() -> None:
    (edge,) = draw(requests(5), before=requests(5))["edges"]
    assert (edge["rate"], edge["total"], edge["p50"]) == (0, 5, None)


def test_every_workload_is_there_without_traffic() -> None:
    result = nodes(draw(""))
    workloads = {"payments/svca", "payments/svcb-v0.1", "payments/svcb-v0.2"}
    assert set(result) == {GATEWAY, *workloads, "outside/msgd.test"}
    assert result["payments/svcb-v0.2"]["subtitle"] == "v0.2"


def test_ready_replicas_are_counted() -> None:
    replicas = [*REPLICAS, replica("svca", "svca", ready=False)]
    result = build_graph({}, {}, 10, replicas, TOPOLOGY)
    (svca,) = (n for n in result["nodes"] if n["id"] == "payments/svca")
    assert (svca["replicas"], svca["ready"]) == (2, 1)


def test_a_caller_that_is_gone_is_still_named() -> None:
    result = nodes(draw(requests(5, "payments/old", "payments/svca")))
    assert result["payments/old"]["replicas"] == 0


def test_columns_follow_the_calls() -> None:
    text = requests(1, GATEWAY, "payments/svca", service="svca") + SPLIT
    text += requests(1, "payments/svcb-v0.1", "unknown/unknown", service="msgd.test")
    column = {key: node["column"] for key, node in nodes(draw(text)).items()}
    assert column == {
        GATEWAY: 0,
        "payments/svca": 1,
        "payments/svcb-v0.1": 2,
        "payments/svcb-v0.2": 2,
        "outside/msgd.test": 3,
    }
