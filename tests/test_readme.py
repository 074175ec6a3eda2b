"""What README and CONTRIBUTING promise, as far as that needs no mesh; e2e/test_readme.py has the
rest."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
import typer.main

from meshproof import pytest_plugin
from meshproof.cli.main import app
from meshproof.project import load_project
from meshproof.report.verdict_table import Row, render
from tools.doc_runner.document import Step, parse
from tools.doc_runner.run import walk
from tools.doc_runner.session import Session

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = ["README.md", "CONTRIBUTING.md", "rules/README.md", "examples/shop/README.md"] + [
    f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))
]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!\w+://)([^)#]*)(#[^)]*)?\)")
_VERDICT = re.compile(
    r"  (?P<outcome>passed|FAILED|failed, as it must|PASSED, had to fail) +(?P<verdict>\S.*?) +"
    r"n=(?P<n>[\d,]+) +(?P<found>\S.*)"
)


def blocks(sort: str, page: str = README) -> list[str]:
    return [text for language, text in _FENCE.findall(page) if language == sort]


@pytest.mark.parametrize("section", ["What is refused", "What a rule will do"])
def test_what_needs_no_mesh_is_as_shown(section: str) -> None:
    document = parse(COMMANDS, "docs/commands.md").under(section)
    with Session(ROOT) as session:
        assert [str(failure) for failure in walk(document, session)] == []


def test_what_is_not_run_says_why() -> None:
    assert [s.why for s in parse(README, "README.md").skipped] == ["these are the tests themselves"]


def shown_rows() -> list[Row]:
    """The table of verdicts in the README, read back."""
    (table,) = (text for text in blocks("") if "::test_" in text)
    rows: list[Row] = []
    test = ""
    for line in re.sub(r"\n {9,}", " ", table).splitlines():
        if not line.startswith(" "):
            test = line
        else:
            match = _VERDICT.fullmatch(line)
            assert match, line
            expect = "fail" if "must" in match["outcome"] or "had" in match["outcome"] else "pass"
            passed = match["outcome"].lower().startswith("passed")
            n = int(match["n"].replace(",", ""))
            rows.append(Row(test, match["verdict"], passed, expect, n, match["found"], ""))
    return rows


def test_the_table_of_verdicts_is_as_it_is_printed() -> None:
    (table,) = (text for text in blocks("") if "::test_" in text)
    assert render(shown_rows(), 120) == table.rstrip("\n")
    assert all(row.as_expected for row in shown_rows())
    assert {row.expect for row in shown_rows()} == {"pass", "fail"}


@pytest.mark.parametrize("test", sorted({row.test for row in shown_rows()}))
def test_every_proof_in_the_table_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    functions = [
        node.name
        for node in ast.parse((ROOT / "e2e" / file).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    ]
    assert name.partition("[")[0] in functions


def test_the_project_file_can_be_read(tmp_path: Path) -> None:
    (text,) = blocks("yaml", COMMANDS)
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "none.yaml").touch()
    file = tmp_path / "meshproof.yaml"
    file.write_text(text, encoding="utf-8")
    project = load_project(file)
    assert list(project.images) == ["shop/cart:1.4"]
    assert list(project.outside) == ["rates.example.com"]


def test_the_fixtures_of_the_example_are_there() -> None:
    (text,) = blocks("python", COMMANDS)
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    fixtures = {n for part in pytest_plugin.pytest_plugins for n in dir(import_module(part))}
    assert {argument.arg for argument in function.args.args} <= fixtures


def test_every_command_is_in_the_table() -> None:
    table = COMMANDS.partition("\n## ")[0]
    commands_page = re.findall(
        r"`([a-z-]+)`", "\n".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    )
    assert sorted(commands_page) == sorted(typer.main.get_group(app).commands)


def test_make_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    targets = re.findall(r"^([a-z0-9][-a-z0-9]*):", makefile, re.MULTILINE)
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  make (\S+) +\S", done.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(targets) == sorted(" ".join(phony).split())


def test_every_make_target_that_a_page_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9][-a-z0-9]*):", makefile, re.MULTILINE))
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:`|^ *)make ([a-z][-a-z0-9]*)", text, re.MULTILINE))
        assert named <= targets, page


def test_the_map_names_every_folder_and_no_other() -> None:
    table = CONTRIBUTING.partition("## Where things are")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    named = {path for row in rows for path in re.findall(r"`([^`]+)/`", row)}
    generated = {"artifacts", "build", "dist"}
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith((".", "_"))}
    folders = {name for name in folders - generated if not name.endswith(".egg-info")}
    assert named == folders - {"docs"}


def test_every_file_of_the_common_changes_is_there() -> None:
    table = CONTRIBUTING.partition("## Common changes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!to add|---)(.*?) \| (.*) \|$", table, re.MULTILINE)
    assert len(rows) >= 10
    for change, files in rows:
        paths = [p for p in re.findall(r"`([^`]+)`", files) if not re.search(r"[A-Z]{2}", p)]
        assert [p for p in paths if not (ROOT / p).exists()] == [], change


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for path, anchor in _LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), path
        if anchor:
            assert anchor[1:] in headings(target.read_text(encoding="utf-8")), (path, anchor)


def headings(text: str) -> set[str]:
    """Anchors as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_translated_tutorial_has_the_same_steps() -> None:
    """Same commands, outputs and order; each under a heading of the same number."""

    def read_page(page: str) -> tuple[list[Step], list[str]]:
        document = parse((ROOT / page).read_text(encoding="utf-8"), "page")
        steps = [
            replace(step, line=0, heading=step.heading.partition(".")[0]) for step in document.steps
        ]
        return steps, [skipped.text for skipped in document.skipped]

    assert read_page("docs/tutorial.zh-Hant.md") == read_page("docs/tutorial.md")
    numbers = [
        re.findall(r"^## (\d+)\.", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        for page in ("docs/tutorial.zh-Hant.md", "docs/tutorial.md")
    ]
    assert numbers[0] == numbers[1] == [str(n + 1) for n in range(14)]


def test_the_translated_readme_is_in_step() -> None:
    """Same commands and outputs, as many headings, rows and points, and the same links."""

    def read_page(page: str) -> tuple[list[Step], list[str], list[int], set[str]]:
        text = (ROOT / page).read_text(encoding="utf-8")
        document = parse(text, "page")
        steps = [replace(step, line=0, heading="") for step in document.steps]
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        counts = [len(re.findall(p, prose, re.MULTILINE)) for p in (r"^#+ ", r"^\| ", r"^- ")]
        links = set(re.findall(r"\]\(([^)]+)\)", prose)) - {"README.md", "README.zh-Hant.md"}
        return steps, [skipped.text for skipped in document.skipped], counts, links

    assert read_page("README.zh-Hant.md") == read_page("README.md")
    assert "(README.zh-Hant.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
