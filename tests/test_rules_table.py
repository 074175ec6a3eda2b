"""rules/README.md against the rules, and the names of the rules against what is in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.model.reader import read_resources

ROOT = Path(__file__).parents[1]
RULES = ROOT / "rules"
FILES = sorted(str(p.relative_to(RULES)) for p in RULES.rglob("*.yaml") if p.parent.name != "tests")
MODERN = [f for f in FILES if "/" not in f]
OLD = [f for f in FILES if "/" in f]
_ROW = re.compile(r"\| `(?P<file>[^`]+)` \| (?P<effect>[^|]+) \| `(?P<proof>[^`]+)` \|")
_SHARE = re.compile(r"_v(\d+)_(\d+)_(\d+)")

# Whose proof another rule shares, and why.
SHARED = {
    "svcb_v0_1_60_v0_2_40.yaml": "svcb_v0_1_50_v0_2_50",  # its negative control
    "v1alpha2/route-rules-svcb-v0.2-50.yaml": "svcb_v0_1_50_v0_2_50",  # same effect, Istio 0.4
    "v1alpha2/route-rules-svcb-v0.2-100.yaml": "svcb_v0_2_100",
    "v1alpha2/enable-svcb-engress-rule.yaml": "egress_msgd_by_address",
}


def table() -> list[re.Match[str]]:
    lines = (RULES / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    return [match for row in rows if (match := _ROW.fullmatch(row))]


def documents(file: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((RULES / file).read_text(encoding="utf-8")))


def virtual_service(file: str) -> dict[str, Any]:
    [rule] = [d for d in documents(file) if d["kind"] == "VirtualService"]
    return rule


def test_every_rule_is_in_the_table_once_and_nothing_else_is() -> None:
    assert sorted(row["file"] for row in table()) == FILES
    assert len({row["effect"] for row in table()}) == len(FILES)


def test_rule_and_proof_share_a_stem() -> None:
    for row in table():
        stem = SHARED.get(row["file"], Path(row["file"]).stem)
        assert row["proof"] == f"e2e/test_{stem}.py"


@pytest.mark.skipif(not list((ROOT / "e2e").glob("test_*.py")), reason="no proof is written yet")
def test_every_proof_is_there() -> None:
    assert [row["proof"] for row in table() if not (ROOT / row["proof"]).is_file()] == []


@pytest.mark.parametrize("file", [f for f in MODERN if _SHARE.search(f)])
def test_the_weights_in_the_name_are_those_inside(file: str) -> None:
    named = {f"v{a}.{b}": int(weight) for a, b, weight in _SHARE.findall(Path(file).stem)}
    [subsets] = [d["spec"]["subsets"] for d in documents(file) if d["kind"] == "DestinationRule"]
    versions = {s["name"]: s["labels"]["version"] for s in subsets}
    [http] = virtual_service(file)["spec"]["http"]
    inside = {versions[r["destination"]["subset"]]: r["weight"] for r in http["route"]}
    assert inside == named
    assert sum(inside.values()) == 100


@pytest.mark.parametrize("file", [f for f in MODERN if f.startswith("svcb_v")])
def test_rules_for_svcb_replace_one_another(file: str) -> None:
    names = [(d["kind"], d["metadata"]["name"]) for d in documents(file)]
    assert names == [("DestinationRule", "svcb"), ("VirtualService", "svcb")]
    assert virtual_service(file)["spec"]["hosts"] == ["svcb"]


@pytest.mark.parametrize("file", FILES)
def test_a_rule_goes_where_it_is_applied(file: str) -> None:
    assert all("namespace" not in d["metadata"] for d in documents(file))


@pytest.mark.parametrize("file", FILES)
def test_meshproof_reads_it(file: str) -> None:
    assert len(read_resources([RULES / file])) == len(documents(file))


class TestTutorial:
    """The tutorial's own three files, to the letter."""

    def test_these_and_no_others(self) -> None:
        assert [Path(f).name for f in OLD] == [
            "enable-svcb-engress-rule.yaml",
            "route-rules-svcb-v0.2-100.yaml",
            "route-rules-svcb-v0.2-50.yaml",
        ]

    def test_egress(self) -> None:
        assert documents("v1alpha2/enable-svcb-engress-rule.yaml") == [
            {
                "apiVersion": "config.istio.io/v1alpha2",
                "kind": "EgressRule",
                "metadata": {"name": "enable-svcb-engress-rule"},
                "spec": {
                    "destination": {"service": "10.100.35.27"},
                    "ports": [{"port": 9997, "protocol": "http"}],
                },
            }
        ]

    @pytest.mark.parametrize(
        ("stem", "shares"), [("50", {"v0.1": 50, "v0.2": 50}), ("100", {"v0.2": 100})]
    )
    def test_routes(self, stem: str, shares: dict[str, int]) -> None:
        assert documents(f"v1alpha2/route-rules-svcb-v0.2-{stem}.yaml") == [
            {
                "apiVersion": "config.istio.io/v1alpha2",
                "kind": "RouteRule",
                "metadata": {"name": "route-rules-svcb"},
                "spec": {
                    "destination": {"name": "svcb"},
                    "precedence": 1,
                    "route": [
                        {"labels": {"version": version}, "weight": weight}
                        for version, weight in shares.items()
                    ],
                },
            }
        ]
