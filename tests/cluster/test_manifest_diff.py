"""What leads somewhere goes before what it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshproof.cluster.manifest_diff import difference, stages

Objects = Mapping[tuple[str, str, str], dict[str, Any]]


def state(*bodies: dict[str, Any]) -> Objects:
    return {(b["kind"], "shop", b["metadata"]["name"]): b for b in bodies}


def body(kind: str, **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "web"}, "spec": {"host": "web", **spec}}


def rule(*subsets: str, labels: str = "") -> dict[str, Any]:
    return body(
        "DestinationRule",
        subsets=[{"name": name, "labels": {"version": labels or name}} for name in subsets],
    )


def route(*subsets: str) -> dict[str, Any]:
    return body("VirtualService", to=list(subsets))


def subsets(objects: Objects) -> list[tuple[str, str]]:
    spec = objects["DestinationRule", "shop", "web"]["spec"]
    return [(s["name"], s["labels"]["version"]) for s in spec["subsets"]]


def test_a_subset_stays_until_the_new_routes_are_live() -> None:
    before, after = state(rule("v1", "v2"), route("v1", "v2")), state(rule("v2"), route("v2"))
    meanwhile, last = stages(before, after)
    assert subsets(meanwhile) == [("v2", "v2"), ("v1", "v1")]
    assert meanwhile["VirtualService", "shop", "web"] == route("v2")
    assert last == after
    assert [d["kind"] for d in difference(meanwhile, last).apply] == ["DestinationRule"]


def test_a_subset_of_the_same_name_is_the_new_one() -> None:
    before = state(rule("stable", "old", labels="v1"), route("old"))
    after = state(rule("stable", labels="v2"), route("stable"))
    assert subsets(stages(before, after)[0]) == [("stable", "v2"), ("old", "v1")]


def test_what_is_deleted_with_its_routes_stays_until_they_are_gone() -> None:
    before = state(rule("v1"), route("v1"), body("ServiceEntry"), body("Deployment"))
    meanwhile, last = stages(before, state())
    assert {key[0] for key in meanwhile} == {"DestinationRule", "ServiceEntry"}
    assert last == state()


def test_one_stage_is_enough_where_no_route_loses_its_target() -> None:
    old, new = state(rule("v1"), route("v1")), state(rule("v1", "v2"), route("v1", "v2"))
    assert stages(old, new) == [new], "what is added"
    assert stages(state(), old) == [old]
    assert stages(old, state(rule("v1"), route())) == [state(rule("v1"), route())]
    same_route = state(rule("v2"), route("v1"))
    assert stages(old, same_route) == [same_route], "as it was written: its route leads nowhere"
