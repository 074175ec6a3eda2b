"""``apply``: what is sent to the mesh, what is printed where, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fakes.mesh import PROBLEM, WARNING, FakeMesh

Cli = Any


def test_apply_sends_texts_under_the_names_given(fake: FakeMesh, cli: Cli, folder: Path) -> None:
    done = cli("apply", "-f", "rules", "-f", "-", "-n", "pay", "--strict", stdin=b"from stdin")
    texts = [
        ("rules/a.yml", "text of rules/a.yml"),
        ("rules/b.yaml", "text of rules/b.yaml"),
        ("<stdin>", "from stdin"),
    ]
    assert fake.calls == [("apply", texts, "pay", True)]
    assert done.code == 0
    assert done.out.splitlines() == [f"File {name} created" for name, _ in texts]
    assert f"warning: {WARNING}" in done.err.splitlines()


def test_apply_as_json_is_json_alone(fake: FakeMesh, cli: Cli, folder: Path) -> None:
    done = cli("apply", "-f", "rules/b.yaml", "-o", "json")
    assert json.loads(done.out)["warnings"] == [WARNING.as_dict()]
    assert done.err == ""


def test_refused_files_are_one_line_a_problem(fake: FakeMesh, cli: Cli, folder: Path) -> None:
    (folder / "bad.yaml").write_text("refuse")
    done = cli("apply", "-f", "bad.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"{PROBLEM}\n{WARNING}\n"


def test_all_unreadable_files_are_named_and_nothing_is_sent(
    fake: FakeMesh, cli: Cli, folder: Path
) -> None:
    (folder / "latin.yaml").write_bytes(b"a: \xff")
    (folder / "empty").mkdir()
    done = cli("apply", "-f", "none.yaml", "-f", "latin.yaml", "-f", "empty", "-f", "rules")
    assert (done.code, fake.calls) == (2, [])
    assert done.err.splitlines() == [
        "none.yaml: there is no such file or folder",
        "latin.yaml: is not UTF-8 (byte 3)",
        "empty: the folder holds no *.yaml or *.yml",
    ]


def test_a_change_that_is_not_live_exits_1(fake: FakeMesh, cli: Cli) -> None:
    done = cli("apply", "-f", "-", stdin=b"stuck")
    assert (done.code, done.err) == (1, "error: svca-1 stayed silent\n")


def test_files_may_be_named_as_a_shell_makes_them(fake: FakeMesh, cli: Cli, tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml", "c.yaml"):
        (tmp_path / name).write_text(f"# {name}\n")
    both = [str(tmp_path / name) for name in ("a.yaml", "b.yaml")]
    for verb in ("apply", "delete"):
        done = cli(verb, "-f", str(tmp_path / "c.yaml"), *both)
        assert done.code == 0, done.err
        files = [Path(file).name for file, _ in fake.calls[-1][1]]
        assert files == ["c.yaml", "a.yaml", "b.yaml"]
