"""Whose the evidence's folder is: one session's at a time, shared by its workers.

A second session on the same folder writes to ``session-<id>`` in it, so that neither empties what
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
    """This session's; claimed on first use."""
    if _FOLDER not in config.stash:
        root = config.rootpath / config.getoption("--artifacts")
        session = getattr(config, "workerinput", {}).get("testrunuid") or uuid.uuid4().hex
        made = config.stash[_FOLDER] = claim(root, session)
        if hasattr(config, "workeroutput"):
            config.workeroutput[_OUTPUT] = str(made)
    return config.stash[_FOLDER]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """At the controller of pytest-xdist: a worker has ended, and says where its evidence is."""
    told = getattr(node, "workeroutput", {}).get(_OUTPUT)
    if told:
        node.config.stash[_FOLDER] = Path(told)


def claim(root: Path, session: str) -> Path:
    """``root`` where nobody else holds it, or one of its own in it. Held until this process ends;
    processes of one session share it."""
    root.mkdir(parents=True, exist_ok=True)
    file = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
        os.pwrite(file, session.encode(), 0)
    except BlockingIOError:
        pass
    fcntl.flock(file, fcntl.LOCK_SH)  # waits for who is writing its name there just now
    if os.pread(file, 256, 0).decode() == session:
        _held.append(file)
        return root
    os.close(file)
    own = root / f"session-{session[:12]}"
    own.mkdir(exist_ok=True)
    return own
