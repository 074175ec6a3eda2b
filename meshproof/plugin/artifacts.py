"""The artifacts folder belongs to one session at a time, and all its workers share it.

A second session with the same folder writes to ``session-<id>`` in it, so that neither deletes what
the other has just written.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path
from typing import Any

import pytest

LOCK = ".lock"
_FOLDER = pytest.StashKey[Path]()
_OUTPUT = "meshproof_artifacts"
_held: list[int] = []
"""Lock files' descriptors; the kernel unlocks them however this process ends."""


def folder(config: pytest.Config) -> Path:
    """This session's folder; claimed on first use."""
    if _FOLDER not in config.stash:
        root = config.rootpath / config.getoption("--artifacts")
        session = getattr(config, "workerinput", {}).get("testrunuid") or uuid.uuid4().hex
        claimed = config.stash[_FOLDER] = claim(root, session)
        if hasattr(config, "workeroutput"):
            config.workeroutput[_OUTPUT] = str(claimed)
    return config.stash[_FOLDER]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """In the controller of pytest-xdist: a worker has ended, and reports its folder."""
    output = getattr(node, "workeroutput", {}).get(_OUTPUT)
    if output:
        node.config.stash[_FOLDER] = Path(output)


def claim(root: Path, session: str) -> Path:
    """``root`` if no other session holds it, else a folder of this session in it. It is held until
    this process ends; processes of one session share it."""
    root.mkdir(parents=True, exist_ok=True)
    file = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
        os.pwrite(file, session.encode(), 0)
    except BlockingIOError:
        pass
    fcntl.flock(file, fcntl.LOCK_SH)  # waits for a session that is writing its id just now
    if os.pread(file, 256, 0).decode() == session:
        _held.append(file)
        return root
    os.close(file)
    own = root / f"session-{session[:12]}"
    own.mkdir(exist_ok=True)
    return own
