"""Whether a mesh has pods: what the variable says, and what ``auto`` does without them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from meshproof.embedded import sandbox
from meshproof.embedded.pod_mode import plans_pods, read_mode, runs_pods
from meshproof.embedded.sandbox import Sandboxes
from meshproof.errors import UsageError
from meshproof.host import pod_trial
from meshproof.host.pod_support import PodsUnavailable


@pytest.mark.parametrize("mode", ["on", "off", "auto"])
def test_the_variable_has_three_words(mode: str) -> None:
    assert read_mode({"MESHPROOF_PODS": mode}) == mode


def test_another_word_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="MESHPROOF_PODS='yes': wanted on, off or auto"):
        read_mode({"MESHPROOF_PODS": "yes"})


@pytest.mark.parametrize(
    ("word", "problem", "planned", "runs"),
    [
        (None, "", True, True),
        (None, "nat: no", True, False),
        ("on", "nat: no", True, True),
        ("off", "", False, False),
    ],
)
def test_files_are_judged_alike_everywhere_and_a_mesh_runs_as_the_machine_allows(
    word: str | None, problem: str, planned: bool, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_trial, "find_problem", lambda: problem)
    environ = {"MESHPROOF_PODS": word} if word else {}
    assert (plans_pods(environ), runs_pods(environ)) == (planned, runs)


@pytest.fixture
def impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandboxes:
    sandboxes = Sandboxes(None, tmp_path / "pods")  # type: ignore[arg-type]  # it is not asked

    async def refuse() -> None:
        raise PodsUnavailable("user namespace: Operation not permitted; set it to 1")

    monkeypatch.setattr(sandboxes._pods, "open", refuse)
    return sandboxes


def test_auto_does_without_pods_and_says_why(impossible: Sandboxes) -> None:
    note = asyncio.run(impossible.open("auto"))
    assert note.startswith("this machine allows no pods, so the mesh runs without")
    assert note.endswith("user namespace: Operation not permitted; set it to 1")
    assert not impossible.enabled
    assert impossible.socket_factory("a") is None


def test_on_does_not(impossible: Sandboxes) -> None:
    with pytest.raises(PodsUnavailable, match="MESHPROOF_PODS=on, but there can be no pods"):
        asyncio.run(impossible.open("on"))


def test_off_does_not_even_try(impossible: Sandboxes) -> None:
    assert not asyncio.run(impossible.open("off"))
    assert not impossible.enabled


def test_host_names_come_from_files_and_dns_alone() -> None:
    text = "passwd: files sss\nhosts: files mdns4 [NOTFOUND=return] resolve dns\n"
    lines: Any = sandbox._switch_hosts(text).splitlines()
    assert lines == ["passwd: files sss", "hosts: files dns"]
