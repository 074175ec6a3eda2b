"""Only the weights of the two versions move; what cannot be moved alone is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshproof.errors import UsageError
from meshproof.model.reader import read_text
from meshproof.release.weights import find_weighted_rule, heaviest_version
from tests.release.rules import destination_rule, to, virtual_service

DR = destination_rule("v0.1", "v0.2")


def moved(documents: list[dict[str, Any]], weight: int) -> list[dict[str, Any]]:
    rule = find_weighted_rule(documents, "svcb", "payments", "v0.1", "v0.2")
    text = rule.with_weight("v0.1", "v0.2", weight)
    read_text(text, "<release>")  # what is written is what the mesh takes
    return list(yaml.safe_load_all(text))


def routes(document: dict[str, Any]) -> list[tuple[str, int]]:
    (http,) = [h for h in document["spec"]["http"] if not h.get("match")]
    return [(e["destination"]["subset"], e["weight"]) for e in http["route"]]


def test_the_weights_of_the_rule_in_force_move_and_nothing_else() -> None:
    tester = {"match": [{"headers": {"end-user": {"exact": "tester"}}}], "route": [to("two")]}
    rule = virtual_service(to("one", 90), to("two", 10), timeout="3s")
    rule["spec"]["http"].insert(0, tester)
    (changed,) = moved([DR, rule], 25)
    assert routes(changed) == [("one", 75), ("two", 25)]
    assert changed["spec"]["http"][0] == tester
    assert changed["spec"]["http"][1]["timeout"] == "3s"
    assert changed["metadata"] == rule["metadata"]
    assert routes(rule) == [("one", 90), ("two", 10)]


def test_a_version_without_an_entry_gets_one_like_the_other() -> None:
    one = {"destination": {"host": "svcb", "subset": "one", "port": {"number": 80}}}
    (changed,) = moved([DR, virtual_service(one)], 5)
    assert routes(changed) == [("one", 95), ("two", 5)]
    ports = [e["destination"]["port"] for e in changed["spec"]["http"][0]["route"]]
    assert ports == [{"number": 80}] * 2


def test_where_there_is_no_rule_a_plain_one_is_made() -> None:
    subsets, rule = moved([], 1)
    assert [s["labels"] for s in subsets["spec"]["subsets"]] == [
        {"version": "v0.1"},
        {"version": "v0.2"},
    ]
    assert routes(rule) == [("v0-1", 99), ("v0-2", 1)]
    assert rule["metadata"] == {"name": "svcb", "namespace": "payments"}


@pytest.mark.parametrize(
    ("route", "old"),
    [([to("one", 90), to("two", 10)], "v0.1"), ([to("one")], "v0.1"), ([to("two", 100)], "v0.2")],
)
def test_the_old_version_is_what_gets_most(route: list[dict[str, Any]], old: str) -> None:
    rule = find_weighted_rule([DR, virtual_service(*route)], "svcb", "payments", "", "v0.2")
    if old == "v0.2":
        assert rule.weights() == {"v0.1": 0, "v0.2": 100}
    else:
        assert heaviest_version(rule, "v0.2") == old


def test_of_several_old_versions_one_must_be_said() -> None:
    three = destination_rule("v0.0", "v0.1", "v0.2")
    rule = find_weighted_rule([three], "svcb", "payments", "", "v0.2")
    with pytest.raises(UsageError, match=r"--from; there are v0\.0, v0\.1"):
        heaviest_version(rule, "v0.2")


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        ([DR, virtual_service(to("one")), virtual_service(to("two"))], "several VirtualServices"),
        ([destination_rule("v0.1")], r"no subset with the label version: v0\.2"),
        ([DR, virtual_service(to("one", 50), to("two", 50, host="svcc"))], "to svcc too"),
        ([DR, virtual_service(to("one", 50), to("dark", 50))], "subset dark"),
        ([DR, virtual_service(to("one"), match=[{"port": 80}])], "no http route without a match"),
        ([DR, virtual_service(redirect={"uri": "/"})], "a route without destinations"),
    ],
)
def test_what_cannot_be_moved_is_refused(documents: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        find_weighted_rule(documents, "svcb", "payments", "v0.1", "v0.2")
