"""What an Envoy is asked, and what becomes of it where that does not answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.embedded.context import RunPaths
from meshproof.embedded.pod.envoy_process import EnvoyProcess
from meshproof.errors import MeshproofError


def ask(folder: Path, *, paused: bool) -> str:
    """The error of an Envoy that is not there."""
    client = SimpleNamespace(paused=paused)
    context: Any = SimpleNamespace(
        ads=SimpleNamespace(register=lambda _: client), paths=RunPaths(folder)
    )

    async def get() -> str:
        envoy = EnvoyProcess(
            context, "a-1", slot=0, ip="127.1.0.1", service="a.b", metadata={}, pod="a-1"
        )
        with pytest.raises(MeshproofError) as error:
            await envoy.admin("/stats")
        with pytest.raises(MeshproofError) as other:
            await envoy.write_marker("x")
        await envoy.close()
        assert str(other.value).partition(":")[0] == str(error.value).partition(":")[0]
        return str(error.value)

    return asyncio.run(get())


def test_one_that_is_paused_is_not_asked(tmp_path: Path) -> None:
    assert ask(tmp_path, paused=True) == "the Envoy of a-1 does not answer: it is paused"


def test_one_that_is_gone_is_said_not_to_answer(tmp_path: Path) -> None:
    message = ask(tmp_path, paused=False)
    assert message.startswith("the Envoy of a-1 does not answer: ")
    assert "paused" not in message
