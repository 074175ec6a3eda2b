"""msgd from outside the mesh: the messages that it holds, and whether it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from meshproof.mesh import Mesh

EVERY = 0.05
"""Seconds between two checks that msgd answers."""


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # straight to msgd, whatever proxy the environment names
    return session


def message_ids(mesh: Mesh, run_id: str) -> list[str]:
    """The ids of a run's messages in msgd, in order of arrival."""
    with _session() as session:
        answer = session.get(
            f"{mesh.url('msgd.test')}/messages", params={"run": run_id}, timeout=300
        )
    answer.raise_for_status()
    ids: list[str] = answer.json()["ids"]
    return ids


def messages(mesh: Mesh, run_id: str) -> list[dict[str, Any]]:
    """The messages of a run in full: each with the trace and span that brought it."""
    with _session() as session:
        answer = session.get(
            f"{mesh.url('msgd.test')}/messages", params={"run": run_id, "full": "1"}, timeout=300
        )
    answer.raise_for_status()
    messages: list[dict[str, Any]] = answer.json()["messages"]
    return messages


@contextmanager
def watch(mesh: Mesh, run_id: str) -> Iterator[list[int]]:
    """The positive control during a block: statuses of messages sent directly to msgd.

    One before, one after and one every ``EVERY`` seconds between; 0 where no answer came. They
    carry ``run_id``, which must differ from the load's.
    """
    url, statuses, over = f"{mesh.url('msgd.test')}/send", [], threading.Event()

    def look(session: requests.Session) -> None:
        try:
            answer = session.get(
                url, params={"msg": "control"}, headers={"x-run-id": run_id}, timeout=300
            )
            statuses.append(answer.status_code)
        except requests.RequestException:
            statuses.append(0)

    def keep_looking() -> None:
        with _session() as session:
            while not over.wait(EVERY):
                look(session)

    with _session() as session:
        look(session)
        watcher = threading.Thread(target=keep_looking, name="msgd-control")
        watcher.start()
        try:
            yield statuses
        finally:
            over.set()
            watcher.join()
        look(session)
