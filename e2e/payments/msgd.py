"""msgd as seen from outside the mesh: what it holds, and whether it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from meshproof.mesh import Mesh

EVERY = 0.05
"""Seconds between two looks at whether msgd answers."""


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # straight to msgd, whatever proxy the environment names
    return session


def stored(mesh: Mesh, run_id: str) -> list[str]:
    """The message ids that msgd holds of a run, in order of arrival."""
    with _session() as session:
        answer = session.get(
            f"{mesh.url('msgd.test')}/messages", params={"run": run_id}, timeout=30
        )
    answer.raise_for_status()
    ids: list[str] = answer.json()["ids"]
    return ids


def messages(mesh: Mesh, run_id: str) -> list[dict[str, Any]]:
    """The same, whole: each with the trace and span that brought it."""
    with _session() as session:
        answer = session.get(
            f"{mesh.url('msgd.test')}/messages", params={"run": run_id, "full": "1"}, timeout=30
        )
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


@contextmanager
def watched(mesh: Mesh, run_id: str) -> Iterator[list[int]]:
    """The positive control, all the while: statuses of messages sent straight to msgd.

    One before, one after and one every ``EVERY`` seconds between; 0 where no answer came. They
    carry ``run_id``, which must be another than the load's.
    """
    url, statuses, over = f"{mesh.url('msgd.test')}/send", [], threading.Event()

    def look(session: requests.Session) -> None:
        try:
            answer = session.get(
                url, params={"msg": "control"}, headers={"x-run-id": run_id}, timeout=5
            )
            statuses.append(answer.status_code)
        except requests.RequestException:
            statuses.append(0)

    def watch() -> None:
        with _session() as session:
            while not over.wait(EVERY):
                look(session)

    with _session() as session:
        look(session)
        watcher = threading.Thread(target=watch, name="msgd-control")
        watcher.start()
        try:
            yield statuses
        finally:
            over.set()
            watcher.join()
        look(session)
