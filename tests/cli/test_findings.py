"""``check -o``: every form says the same findings; SARIF has what its schema requires."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_sarif.model import (
    StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog,
)

from meshproof.cli.findings import Finding, as_github, as_json, as_sarif
from meshproof.errors import Problem
from meshproof.lint.rules import REFUSED, all_rules
from tests.cli.conftest import Cli

ROOT = Path(__file__).parents[2]
WARNING = Finding(
    Problem(
        "rules/a b.yaml", 7, "VirtualService d/svcb", "spec.http[0]", "is: odd,\n100% so", "less",
        "halve it", "weight-odd",
    ),
    "warning",
)  # fmt: skip
ERROR = Finding(Problem("<stdin>", 3, "", "spec", "is not a field", "", ""), "error")
HINT = Finding(
    Problem("/elsewhere/x.yaml", 0, "", "", "holds nothing", "", "", "host-unknown"), "note"
)
RULES = {"weight-odd": "odd weights", "host-unknown": "hosts", REFUSED: "refusals"}


def test_json_tells_levels_apart() -> None:
    report = as_json(5, [WARNING, ERROR, HINT])
    assert report["resources"] == 5
    assert [len(report[level]) for level in ("errors", "warnings", "hints")] == [1, 1, 1]
    assert report["errors"][0]["rule"] == REFUSED
    assert (report["warnings"][0]["line"], report["warnings"][0]["remedy"]) == (7, "halve it")


def test_github_annotations_are_escaped() -> None:
    warning, error, hint = as_github([WARNING, ERROR, HINT])
    assert warning == (
        "::warning file=rules/a b.yaml,line=7,title=meshproof weight-odd::"
        "VirtualService d/svcb: spec.http[0]: is: odd,%0A100%25 so; wanted less; halve it"
        " [weight-odd]"
    )
    assert error == "::error title=meshproof refused::spec: is not a field [refused]"
    assert hint.startswith("::notice file=/elsewhere/x.yaml,title=")
    odd = Finding(Problem("a:b,c%.yaml", 1, "", "", "x", "", ""), "error")
    assert as_github([odd])[0].startswith("::error file=a%3Ab%2Cc%25.yaml,line=1,")


def test_sarifs_schema_refuses_what_is_not_sarif() -> None:
    log = as_sarif([WARNING], RULES, "0.1", Path("/work/here"))
    SarifLog.model_validate_json(json.dumps(log))
    del log["runs"][0]["results"][0]["message"]
    with pytest.raises(ValidationError, match="message"):
        SarifLog.model_validate_json(json.dumps(log))


def required(thing: dict[str, Any], *names: str) -> dict[str, Any]:
    assert set(names) <= set(thing), f"{sorted(thing)} lacks one of {names}"
    return thing


def whole(log: dict[str, Any]) -> None:
    """What SARIF 2.1.0's schema requires of the parts that are written, and its references."""
    SarifLog.model_validate_json(json.dumps(log))
    assert required(log, "version", "runs")["version"] == "2.1.0"
    for run in log["runs"]:
        driver = required(required(required(run, "tool")["tool"], "driver")["driver"], "name")
        ids = [required(rule, "id")["id"] for rule in driver["rules"]]
        assert len(ids) == len(set(ids))
        for rule in driver["rules"]:
            required(rule["shortDescription"], "text")
        for result in run["results"]:
            required(required(result, "message")["message"], "text")
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in ("none", "note", "warning", "error")
            for location in result["locations"]:
                physical = location["physicalLocation"]
                assert re.fullmatch(r"(file:///)?[\w./%~-]+", physical["artifactLocation"]["uri"])
                assert physical.get("region", {"startLine": 1})["startLine"] >= 1


def test_sarif_is_whole() -> None:
    log = as_sarif([WARNING, ERROR, HINT], RULES, "0.1", Path("/work/here"))
    whole(log)
    locations = [result["locations"] for result in log["runs"][0]["results"]]
    assert locations[0][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "rules/a%20b.yaml"}, "region": {"startLine": 7},
    }  # fmt: skip
    assert locations[1] == []
    assert (
        locations[2][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///elsewhere/x.yaml"
    )


DANGLING = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb, namespace: payments}
spec:
  hosts: [svcb]
  http:
    - route: [{destination: {host: nobody}}]
"""


@pytest.fixture
def project(tmp_path: Path) -> list[str]:
    (tmp_path / "r.yaml").write_text(DANGLING)
    return ["check", "--project", str(ROOT / "meshproof.yaml"), "-f", str(tmp_path / "r.yaml")]


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_every_form_of_one_finding(cli: Cli, project: list[str], form: str) -> None:
    done = cli(*project, "-o", form)
    assert done.code == 0
    report = done.err if form == "text" else done.out
    assert "host-unknown" in report
    assert "nobody.payments.svc.cluster.local" in report
    if form == "sarif":
        whole(json.loads(done.out))
        assert json.loads(done.out)["runs"][0]["results"][0]["ruleId"] == "host-unknown"


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_what_is_refused_is_told_in_the_same_form(
    cli: Cli, project: list[str], tmp_path: Path, form: str
) -> None:
    (tmp_path / "r.yaml").write_text(DANGLING.replace("hosts:", "hostz:"))
    done = cli(*project, "-o", form)
    assert done.code == 2
    assert "hostz" in done.out
    assert REFUSED in done.out


def test_strict_makes_a_warning_an_error(cli: Cli, project: list[str]) -> None:
    done = cli(*project, "--strict", "-o", "json")
    assert done.code == 2
    assert [e["rule"] for e in json.loads(done.out)["errors"]] == ["host-unknown"]


def test_the_page_lists_every_id() -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| (error|warning|hint) \| (.*) \|$", page, re.MULTILINE)
    expected = [
        (r.id, "error" if r.id == REFUSED else "hint" if r.hint else "warning", r.finds)
        for r in all_rules()
    ]
    assert rows == expected
    assert len({r.id for r in all_rules()}) == len(all_rules())
