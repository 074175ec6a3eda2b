"""Verbs on a running mesh: what arrives there, what is printed where, how a call exits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mesh import PROBLEM, WARNING, FakeMesh

Cli = Any


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules" / "deeper").mkdir(parents=True)
    for name in ("rules/b.yaml", "rules/a.yml", "rules/no.txt", "rules/deeper/c.yaml"):
        (tmp_path / name).write_text(f"text of {name}")
    return tmp_path


def test_apply_sends_texts_under_the_names_given(fake: FakeMesh, cli: Cli, folder: Path) -> None:
    done = cli("apply", "-f", "rules", "-f", "-", "-n", "pay", "--strict", stdin=b"from stdin")
    texts = [
        ("rules/a.yml", "text of rules/a.yml"),
        ("rules/b.yaml", "text of rules/b.yaml"),
        ("<stdin>", "from stdin"),
    ]
    assert fake.asked == [("apply", texts, "pay", True)]
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
    assert (done.code, fake.asked) == (2, [])
    assert done.err.splitlines() == [
        "none.yaml: there is no such file or folder",
        "latin.yaml: is not UTF-8 (byte 3)",
        "empty: the folder holds no *.yaml or *.yml",
    ]


def test_a_change_that_is_not_live_exits_1(fake: FakeMesh, cli: Cli) -> None:
    done = cli("apply", "-f", "-", stdin=b"stuck")
    assert (done.code, done.err) == (1, "error: svca-1 stayed silent\n")


def test_delete(fake: FakeMesh, cli: Cli) -> None:
    done = cli("delete", "-f", "-", stdin=b"A")
    assert fake.asked == [("delete", [("<stdin>", "A")], "")]
    assert done.out == "File <stdin> deleted\n"


def test_scale(fake: FakeMesh, cli: Cli) -> None:
    assert cli("scale", "pay/svca=12").code == 0
    assert fake.asked == [("scale", "pay/svca", 12)]


@pytest.mark.parametrize("target", ["svca", "svca=", "=2", "svca=-1", "svca=two", "svca=²"])
def test_scale_refuses_what_is_no_number(fake: FakeMesh, cli: Cli, target: str) -> None:
    done = cli("scale", target)
    assert (done.code, fake.asked) == (2, [])
    assert done.err.startswith(f"error: scale: '{target}': wanted WORKLOAD=N")


def test_ls(fake: FakeMesh, cli: Cli) -> None:
    assert json.loads(cli("ls", "-o", "json").out) == [
        {"kind": "Namespace", "namespace": "", "name": "pay"},
        {"kind": "VirtualService", "namespace": "pay", "name": "svcb"},
    ]
    rows = [line.split() for line in cli("ls", "-n", "pay").out.splitlines()]
    assert rows == [["KIND", "NAMESPACE", "NAME"], ["VirtualService", "pay", "svcb"]]


def test_status_says_why_a_replica_is_not_ready(fake: FakeMesh, cli: Cli) -> None:
    lines = cli("status").out.splitlines()
    assert lines[1].split(maxsplit=6) == [
        "default", "svca", "svca-1", "no", "2", "127.0.0.2", "ended with code 1",
    ]  # fmt: skip
    assert json.loads(cli("status", "-o", "json").out)["version"] == "7"
    assert json.loads(cli("status", "-n", "pay", "-o", "json").out)["replicas"] == []


def test_url(fake: FakeMesh, cli: Cli) -> None:
    assert cli("url", "gateway").out == "http://127.0.0.1:8080/gateway\n"
    assert json.loads(cli("url", "gateway", "-o", "json").out)["url"].endswith("/gateway")
    done = cli("url", "nope")
    assert (done.code, done.err) == (2, "error: no workload nope; there is default/svca\n")


def test_logs(fake: FakeMesh, cli: Cli) -> None:
    (fake.run_dir / "svca-1.log").write_text("one\n")
    (fake.run_dir / "svca-2.log").write_text("two\n")
    assert cli("logs", "svca").out == "one\n"
    assert cli("logs", "both").out == "svca-1 | one\nsvca-2 | two\n"


def test_dump_goes_to_the_callers_folder(fake: FakeMesh, cli: Cli, folder: Path) -> None:
    assert cli("dump", "evidence").code == 0
    assert (folder / "evidence" / "pid").exists()
    assert cli("dump", "evidence").err.startswith(f"error: {folder}/evidence: File exists")


@pytest.mark.parametrize("verb", [("ls",), ("apply", "-f", "-"), ("down",), ("logs", "a")])
def test_without_a_mesh_a_verb_says_so(runtime_dir: Path, cli: Cli, verb: tuple[str, ...]) -> None:
    done = cli(*verb)
    assert done.code == 2
    assert done.err == "error: no mesh named shop is running; start one: meshproof up\n"


def test_sweep_with_nothing_left(fake: FakeMesh, cli: Cli, runtime_dir: Path) -> None:
    stale = runtime_dir / "state" / "old.json"
    stale.write_text(json.dumps({"name": "old", "pid": 1, "start_time": 5}))
    assert cli("sweep").out == "forgot mesh old\n"
    assert cli("sweep").err == "nothing was left\n"
    assert fake.run_dir.exists(), "what runs is not touched"
    assert json.loads(cli("sweep", "-o", "json").out) == {
        "processes": [], "folders": [], "names": [], "clusters": [],
    }  # fmt: skip


def test_files_may_be_named_as_a_shell_makes_them(fake: FakeMesh, cli: Cli, tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml", "c.yaml"):
        (tmp_path / name).write_text(f"# {name}\n")
    both = [str(tmp_path / name) for name in ("a.yaml", "b.yaml")]
    for verb in ("apply", "delete"):
        done = cli(verb, "-f", str(tmp_path / "c.yaml"), *both)
        assert done.code == 0, done.err
        asked = [Path(file).name for file, _ in fake.asked[-1][1]]
        assert asked == ["c.yaml", "a.yaml", "b.yaml"]


def test_usage_errors_are_plain_and_exit_2(cli: Cli) -> None:
    done = cli("apply")
    assert done.code == 2
    assert done.err == (
        "error: apply: wanted -f FILE: a YAML file, a folder, or - for standard input\n"
    )
    assert cli("curl").code == 2
