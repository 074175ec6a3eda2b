"""``meshproof diff``: files, git revisions, standard input; text, Markdown and JSON."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cases.mesh_files import MANIFESTS, SPLIT, TO_V1, TO_V2, rule

Cli = Any


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.yaml").write_text(MANIFESTS + rule(TO_V1))
    (tmp_path / "new.yaml").write_text(MANIFESTS + rule(SPLIT))
    return tmp_path


def git(*arguments: str) -> None:
    name = ["-c", "user.name=t", "-c", "user.email=t@t.test", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *name, *arguments], check=True, capture_output=True)


def test_no_difference_is_0(cli: Cli, files: Path) -> None:
    result = cli("diff", "old.yaml", "old.yaml")
    assert result.code == 0
    assert result.out.endswith("requests is answered differently\n")


def test_a_difference_is_1_with_an_example_and_the_rule(cli: Cli, files: Path) -> None:
    result = cli("diff", "old.yaml", "new.yaml")
    assert result.code == 1
    assert "GET http://echo/ from shop/client" in result.out
    assert "answer: shop/echo-v1 v1 → shop/echo-v1 v1 90 %, shop/echo-v2 v2 10 %" in result.out
    assert "VirtualService shop/echo spec.http[0] (old.yaml:" in result.out


def test_manifests_of_both_sides_are_given_once(cli: Cli, files: Path) -> None:
    """Rules alone lead nowhere: whatever differs in them, nobody answers."""
    for name, text in (("mesh", MANIFESTS), ("v1", rule(TO_V1)), ("split", rule(SPLIT))):
        (files / f"{name}.yaml").write_text(text)
    alone = cli("diff", "v1.yaml", "split.yaml")
    assert alone.code == 2
    assert "error: diff: no workload is on either side" in alone.err
    assert "wanted the manifests too: -f FILE, or meshproof.yaml" in alone.err
    result = cli("diff", "v1.yaml", "split.yaml", "-f", "mesh.yaml")
    assert result.code == 1
    assert "answer: shop/echo-v1 v1 → shop/echo-v1 v1 90 %, shop/echo-v2 v2 10 %" in result.out
    assert cli("diff", "v1.yaml", "-", "-f", "-", stdin=b"").code == 2


def test_json_and_markdown(cli: Cli, files: Path) -> None:
    data = json.loads(cli("diff", "old.yaml", "new.yaml", "-o", "json").out)
    assert data["compared"] >= len(data["differences"]) > 0
    page = cli("diff", "old.yaml", "new.yaml", "-o", "markdown").out
    assert page.startswith("### Rules: `old.yaml` → `new.yaml`\n")
    rows = [line for line in page.splitlines() if line.startswith("| GET")]
    assert rows
    assert all(row.count("|") == 5 for row in rows)


def test_revisions_of_git(cli: Cli, files: Path) -> None:
    Path("rules").mkdir()
    Path("rules/a.yaml").write_text(MANIFESTS + rule(TO_V1))
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    Path("rules/a.yaml").write_text(MANIFESTS + rule(TO_V2))
    for old, new in (("HEAD:rules", "rules"), ("HEAD", "rules"), ("HEAD:rules/a.yaml", "rules")):
        result = cli("diff", old, new)
        assert result.code == 1, result.err
        assert "shop/echo-v1 v1 → shop/echo-v2 v2" in result.out
        assert "(HEAD:rules/a.yaml:" in result.out
    assert cli("diff", "HEAD:rules", "HEAD:rules").code == 0


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("nothing", "diff: nothing is neither a file nor a git revision here"),
        ("HEAD:nothing", "diff: HEAD has no YAML at nothing"),
        ("HEAD:kustom", "diff: HEAD:kustom is a Kustomize folder"),
    ],
)
def test_what_is_neither_is_2(cli: Cli, files: Path, old: str, message: str) -> None:
    Path("kustom").mkdir()
    Path("kustom/kustomization.yaml").write_text("resources: []")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    result = cli("diff", old, "new.yaml")
    assert result.code == 2
    assert message in result.err


def test_standard_input_is_one_side(cli: Cli, files: Path) -> None:
    assert cli("diff", "-", "new.yaml", stdin=Path("old.yaml").read_bytes()).code == 1
    assert cli("diff", "-", "-").code == 2
