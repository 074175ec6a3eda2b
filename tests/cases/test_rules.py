"""The rules of this repository have cases, and the cases notice when the rules are altered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.process import run_process

ROOT = Path(__file__).parents[2]
RULES = sorted(f.stem for f in (ROOT / "rules").glob("*.yaml"))
SHARE = 0.9
"""Of the altered fields; the rest is listed by `meshproof test -t rules/tests --mutate`: what files
cannot show (who calls without mutual TLS), and texts that steer nothing."""


@pytest.mark.parametrize("stem", RULES)
def test_each_rule_has_cases(stem: str) -> None:
    assert (ROOT / "rules" / "tests" / f"{stem}_test.yaml").exists()


def test_they_pass_and_visit_every_route_and_policy() -> None:
    done = run_process("test", "-t", "rules/tests", "-o", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["passed"]) == (0, True), done.stdout.decode()
    assert len(report["cases"]) >= 100
    assert report["coverage"]["unvisited"] == []


@pytest.mark.long
def test_they_notice_when_a_rule_is_altered() -> None:
    done = run_process("test", "-t", "rules/tests", "--mutate", "-o", "json")
    mutation = json.loads(done.stdout)["mutation"]
    assert mutation["share"] >= SHARE, mutation["untested"]
