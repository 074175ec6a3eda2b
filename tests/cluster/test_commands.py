"""Commands that really run."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.cluster.commands import Commands


def test_a_relative_kubeconfig_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "a:/b/c")
    commands = Commands(tmp_path / "commands.log")
    monkeypatch.chdir("/")
    result = commands.run(["sh", "-c", "echo $KUBECONFIG"], "asking")
    assert result.text == f"{tmp_path}/a:/b/c\n"
