"""Fixtures: a fake mesh, served on a real socket under a name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.control.client import Client
from meshproof.control.serve import serve_mesh
from tests.fakes.mesh import FakeMesh


@pytest.fixture
def ended() -> threading.Event:
    """Set when a client has asked for the mesh's end."""
    return threading.Event()


@pytest.fixture
def fake(runtime_dir: Path, ended: threading.Event) -> Iterator[FakeMesh]:
    """Not named ``mesh``: that is a fixture of our pytest plugin."""
    mesh = FakeMesh()
    with serve_mesh(mesh, ended):
        yield mesh


@pytest.fixture
def client(fake: FakeMesh) -> Client:
    return Client.find(fake.name)
