"""``meshproof test``: exit codes, every format, first cases, standard input, --watch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pydantic_sarif.model import (
    StaticAnalysisResultsFormatSarifVersion210JsonSchema as SarifLog,
)

from tests.cases.mesh_files import MANIFESTS, SPLIT, TO_V1, TO_V2, case, rule
from tests.cli.junit_schema import violations
from tests.fakes.until import until

Cli = Any
CASES = """
cases:
  - {name: right, request: {from: client, url: "http://echo/"}, expect: {workload: echo-v1}}
  - {name: wrong, request: {from: client, url: "http://echo/a"}, expect: {workload: echo-v2}}
"""
ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: rates, namespace: shop}
spec:
  hosts: [rates.test]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
"""


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with manifests and rules, and no project file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mesh.yaml").write_text(MANIFESTS + rule(TO_V1))
    return tmp_path


def write(text: str, name: str = "echo_test.yaml") -> None:
    Path(name).write_text(text)


def test_all_passed_is_0(cli: Cli, mesh: Path) -> None:
    write(case("{workload: echo}"))
    result = cli("test", "-f", "mesh.yaml")
    assert (result.code, result.err) == (0, "")
    assert "passed echo_test.yaml:1: one: GET http://echo/ from client" in result.out
    assert "1 case: 1 passed; 1 of 1 route and policy visited" in result.out


def test_a_failure_is_1_with_file_line_and_rule(cli: Cli, mesh: Path) -> None:
    write(CASES)
    result = cli("test", "mesh.yaml", "-s")
    assert result.code == 1
    assert "failed echo_test.yaml:4: wrong: GET http://echo/a from client" in result.out
    assert (
        "workload: wanted echo-v2; found shop/echo-v1 v1, by VirtualService shop/echo" in result.out
    )
    assert "2 cases: 1 passed, 1 failed" in result.out


def test_no_case_is_2(cli: Cli, mesh: Path) -> None:
    result = cli("test", "-f", "mesh.yaml")
    assert result.code == 2
    assert "there is no case in any *_test.yaml below here; see `meshproof test init`" in result.err
    write(CASES)
    assert cli("test", "-f", "mesh.yaml", "-k", "another").code == 2
    assert cli("test", "-f", "mesh.yaml", "-k", "right").code == 0


def test_what_is_refused_is_2_in_every_format(cli: Cli, mesh: Path) -> None:
    write(case("{workload: nobody}"))
    text = cli("test", "-f", "mesh.yaml")
    assert text.code == 2
    assert "no workload nobody" in text.out
    assert "nothing was judged: 1 problem" in text.out
    assert json.loads(cli("test", "-f", "mesh.yaml", "-o", "json").out)["problems"]
    junit = cli("test", "-f", "mesh.yaml", "-o", "junit").out
    assert violations(junit) == []
    (error,) = ET.fromstring(junit).iter("error")
    assert "no workload nobody" in error.get("message", "")
    assert "::error file=echo_test.yaml" in cli("test", "-f", "mesh.yaml", "-o", "github").out


def test_json_junit_sarif_github_and_html(cli: Cli, mesh: Path) -> None:
    write(CASES)
    formats = ["json", "junit", "sarif", "github", "html"]
    outputs = [a for f in formats for a in ("-o", f"{f}=out/r.{f}")]
    assert cli("test", "-f", "mesh.yaml", *outputs).code == 1
    data = json.loads(Path("out/r.json").read_text())
    assert data["counts"] == {"passed": 1, "failed": 1, "disagreed": 0}
    assert data["cases"][1]["mismatches"][0]["field"] == "workload"
    junit = Path("out/r.junit").read_text()
    assert violations(junit) == []
    (suite,) = ET.fromstring(junit)
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    sarif = Path("out/r.sarif").read_text()
    SarifLog.model_validate_json(sarif)
    (result,) = json.loads(sarif)["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("case-failed", "error")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 4
    assert "::error file=echo_test.yaml,line=4," in Path("out/r.github").read_text()
    page = Path("out/r.html").read_text()
    assert "wanted echo-v2" in page
    assert "http://" not in page.replace("http://echo", "")


def test_junits_schema_refuses_what_is_not_junit() -> None:
    suite = '<testsuite name="a" tests="1" failures="0"><testcase line="1" id="2"/></testsuite>'
    assert violations(f"<testsuites>{suite}<properties/></testsuites>") == [
        "testsuites holds properties",
        "testsuite lacks errors",
        "testcase lacks name",
        "testcase has no id",
        "no element properties",
    ]


def test_an_unknown_format_is_2(cli: Cli, mesh: Path) -> None:
    write(CASES)
    result = cli("test", "-o", "xml")
    assert result.code == 2
    assert "wanted FORMAT or FORMAT=FILE, one of text, json, junit" in result.err


def test_the_page_and_junit_escape_what_a_case_is_called(cli: Cli, mesh: Path) -> None:
    write(case("{workload: echo}").replace("name: one", 'name: "<b>&\\x01"'))
    page = cli("test", "-f", "mesh.yaml", "-o", "html")
    assert "&lt;b&gt;&amp;" in page.out
    assert ET.fromstring(cli("test", "-f", "mesh.yaml", "-o", "junit").out) is not None


def test_standard_input_is_a_mesh(cli: Cli, mesh: Path) -> None:
    write(case("{workload: echo, version: v1}"))
    result = cli("test", "-f", "-", "-s", stdin=Path("mesh.yaml").read_bytes())
    assert result.code == 0


def test_a_parameter_is_replaced(cli: Cli, mesh: Path) -> None:
    write("parameters: {version: v2}\n" + case('{workload: echo, version: "${version}"}'))
    assert cli("test", "-f", "mesh.yaml").code == 1
    assert cli("test", "-f", "mesh.yaml", "--set", "version=v1").code == 0
    assert cli("test", "-f", "mesh.yaml", "--set", "version").code == 2
    unknown = cli("test", "-f", "mesh.yaml", "--set", "verison=v1")
    assert unknown.code == 2
    assert "no case file has a parameter verison; there is version" in unknown.err


def test_a_file_on_top_replaces_the_manifests_own_rule(cli: Cli, mesh: Path) -> None:
    """Also where it leaves its namespace to the mesh, as kubectl would."""
    Path("meshproof.yaml").write_text("manifests: [mesh.yaml]\n")
    Path("new.yaml").write_text(rule(TO_V2).replace(", namespace: shop", ""))
    write(case("{workload: echo-v2}"))
    assert cli("test").code == 1
    result = cli("test", "-f", "new.yaml")
    assert (result.code, result.err) == (0, "")


def test_mutation_coverage_has_a_threshold(cli: Cli, mesh: Path) -> None:
    Path("mesh.yaml").write_text(MANIFESTS + rule(SPLIT))
    write(case("{workload: echo}"))
    result = cli("test", "-f", "mesh.yaml", "--mutate")
    assert result.code == 0
    assert "no case notices mesh.yaml:" in result.out
    assert "altered fields noticed" in result.out
    low = cli("test", "-f", "mesh.yaml", "--min-mutation", "99")
    assert low.code == 1
    assert "wanted 99 %" in low.err


def test_cases_beside_rules_are_no_resources(cli: Cli, mesh: Path) -> None:
    write(case("{workload: echo}"))
    assert cli("test", ".").code == 0
    assert cli("check", "-f", ".").code == 0


def test_init_writes_cases_that_pass(cli: Cli, mesh: Path) -> None:
    result = cli("test", "init", "mesh.yaml")
    assert (result.code, result.out) == (0, "tests/mesh_test.yaml written; 1 case\n")
    text = Path("tests/mesh_test.yaml").read_text()
    assert "workload: shop/echo-v1" in text
    assert cli("test").code == 0
    again = cli("test", "init", "mesh.yaml")
    assert again.code == 2
    assert "is there already, and is never written over" in again.err


def test_init_in_a_project_takes_rules_together_that_belong_together(cli: Cli, mesh: Path) -> None:
    """A VirtualService needs the subsets of another file; a file without routes is no end."""
    Path("mesh.yaml").write_text(MANIFESTS)
    Path("meshproof.yaml").write_text("manifests: [mesh.yaml]\n")
    subsets, _, routes = rule(TO_V1).partition("---")
    Path("rules").mkdir()
    Path("rules/1-subsets.yaml").write_text(subsets)
    Path("rules/2-routes.yaml").write_text(routes)
    result = cli("test", "init", "rules")
    assert (result.code, result.out) == (0, "rules/tests/rules_test.yaml written; 1 case\n")
    assert "workload: shop/echo-v1" in Path("rules/tests/rules_test.yaml").read_text()
    assert cli("test").code == 0


def test_init_in_a_project_writes_a_file_for_each_alternative(cli: Cli, mesh: Path) -> None:
    Path("mesh.yaml").write_text(MANIFESTS)
    Path("meshproof.yaml").write_text("manifests: [mesh.yaml]\n")
    Path("rules").mkdir()
    Path("rules/none.yaml").write_text(rule(TO_V1).partition("---")[0])
    for name, route in (("old", TO_V1), ("new", TO_V2)):
        Path(f"rules/{name}.yaml").write_text(rule(route))
    result = cli("test", "init", "rules")
    written = [
        "rules/tests/new_test.yaml written; 1 case",
        "rules/tests/old_test.yaml written; 1 case",
    ]
    assert (result.code, result.out.splitlines()) == (0, written)
    assert cli("test").code == 0


def test_init_names_the_route_that_it_has_no_request_for(cli: Cli, mesh: Path) -> None:
    odd = "{match: [{uri: {regex: '/x{3}(?:a|b){2}'}}], route: [{destination: {host: echo}}]}"
    Path("mesh.yaml").write_text(MANIFESTS + rule(odd, TO_V1))
    result = cli("test", "init", "mesh.yaml")
    assert (result.code, result.out) == (0, "tests/mesh_test.yaml written; 1 case\n")
    assert "VirtualService shop/echo spec.http[0]: no HTTP request was found" in result.err


def test_init_without_rules_says_so(cli: Cli, mesh: Path) -> None:
    Path("mesh.yaml").write_text(MANIFESTS)
    result = cli("test", "init", "mesh.yaml")
    assert result.code == 2
    assert "no route and no policy in these rules" in result.err


def test_watch_runs_again_when_a_file_changes(mesh: Path) -> None:
    write(case("{workload: echo-v2}"))
    command = [sys.executable, "-m", "meshproof.cli", "test", "-f", "mesh.yaml", "--watch"]
    log = mesh / "out"
    with (
        log.open("w") as out,
        subprocess.Popen(
            command, stdout=out, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        ) as process,
    ):
        try:
            until(lambda: "1 failed" in log.read_text(), within=300)
            write(case("{workload: echo-v1}"))
            until(lambda: "1 passed" in log.read_text(), within=300)
        finally:
            process.terminate()


def test_after_init_nothing_is_left_to_say_before_cases_can_be_judged(cli: Cli, mesh: Path) -> None:
    """What runs as an image matters to `up` alone; the rules may be among the manifests."""
    assert cli("init", "mesh.yaml").code == 0
    assert "TODO" in Path("meshproof.yaml").read_text()
    first = cli("test", "init")
    assert (first.code, first.out.split(";")[0]) == (0, "tests/mesh_test.yaml written")
    judged = cli("test", "-s")
    assert judged.code == 0, judged.err
    assert "passed" in judged.out
    assert "is still TODO" in cli("test", "--live").out


def test_an_outside_host_without_an_address_yet_is_outside(cli: Cli, mesh: Path) -> None:
    text = "images: {'demo:1': {command: [TODO]}}\noutside: {rates.test: {ports: {80: TODO}}}\n"
    Path("meshproof.yaml").write_text("manifests: [mesh.yaml, entry.yaml]\n" + text)
    Path("entry.yaml").write_text(ENTRY)
    write(case("{outside: rates.test}").replace("http://echo/", "http://rates.test/"))
    result = cli("test", "-s")
    assert result.code == 0, result.out + result.err
