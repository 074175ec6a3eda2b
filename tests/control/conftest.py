"""A fake mesh, served on a real socket under a name."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.control.client import Client
from meshproof.control.serving import live
from tests.control.fake import FakeMesh


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the test's own for runs and names, short enough for socket paths."""
    folder = Path(tempfile.mkdtemp(prefix="mp-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("MESHPROOF_STATE", str(folder / "state"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def ended() -> threading.Event:
    """Set when a client asked for the mesh's end."""
    return threading.Event()


@pytest.fixture
def fake(runtime_dir: Path, ended: threading.Event) -> Iterator[FakeMesh]:
    """Not named ``mesh``: that is a fixture of our pytest plugin."""
    made = FakeMesh()
    with live(made, ended):
        yield made


@pytest.fixture
def client(fake: FakeMesh) -> Client:
    return Client.find(fake.name)
