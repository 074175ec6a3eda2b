"""Messages in SQLite. What ``add`` has returned for survives a kill -9.

One thread writes: it takes all that wait, commits them as one transaction, and only then lets
their callers go. The disk is waited for once a batch, not once a message.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL {unique},
    text TEXT NOT NULL,
    run_id TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_span_id TEXT NOT NULL,
    received_at REAL NOT NULL,
    duplicates INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_run ON messages (run_id, seq);
"""
_INSERT = """
INSERT OR IGNORE INTO messages
    (id, text, run_id, trace_id, span_id, parent_span_id, received_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_REPEATED = "UPDATE messages SET duplicates = duplicates + 1 WHERE id = ?"
_SELECT = """
SELECT id, text, run_id, trace_id, span_id, parent_span_id, received_at, duplicates
FROM messages
"""
_MOST_IN_A_BATCH = 1000


class StoreError(Exception):
    """The store could not do it: disk full, file gone, locked, closed."""


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    text: str
    run_id: str = ""
    trace_id: str = ""
    span_id: str = ""
    """The span that sent it (the egress span of the sender's sidecar)."""
    parent_span_id: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it is in the store."""

    message: Message
    received_at: float
    """Seconds since 1970."""
    duplicates: int
    """How often the same id came again, and was dropped."""


_Job = tuple[Message, "Future[bool]"]


class Store:
    """Threads may share it. ``close`` ends the writer; an ``add`` after it is a StoreError.

    A new file without ``drop_duplicates`` keeps every message that comes, also one of a known id.
    Raises StoreError for a file that is no store, or cannot be made.
    """

    def __init__(self, path: Path, *, drop_duplicates: bool = True) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        try:
            with self._connect() as connection:
                connection.executescript(_SCHEMA.format(unique="UNIQUE" * drop_duplicates))
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error
        self._writer = threading.Thread(target=self._write, name="msgd-writer", daemon=True)
        self._writer.start()

    def add(self, message: Message) -> bool:
        """Returns when the message is on disk: True if its id was there already.

        The first message of an id stays as it is. Raises StoreError when nothing was stored.
        """
        done: Future[bool] = Future()
        with self._lock:
            if self._closed:
                raise StoreError("the store is closed")
            self._jobs.put((message, done))
        return done.result()

    def messages(self, run_id: str | None = None) -> list[Kept]:
        """In order of arrival; of one run, or of all for None."""
        where, values = ("WHERE run_id = ?", (run_id,)) if run_id is not None else ("", ())
        try:
            with self._connect() as connection:
                rows = connection.execute(f"{_SELECT} {where} ORDER BY seq", values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(str(error)) from error
        return [Kept(Message(*row[:6]), row[6], row[7]) for row in rows]

    def problem(self) -> str:
        """Why nothing can be stored; an empty text if it can."""
        return "" if self._writer.is_alive() and not self._closed else "the store is closed"

    def close(self) -> None:
        """Ends when all that was handed in is stored; safe to call twice."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._writer.join()

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")  # a commit waits for the disk
            yield connection
        finally:
            connection.close()

    def _write(self) -> None:
        with self._connect() as connection:
            open_ = True
            while open_:
                batch, open_ = self._take()
                _settle(connection, batch)

    def _take(self) -> tuple[list[_Job], bool]:
        """All that waits, at least one; False when nothing comes after it."""
        job = self._jobs.get()
        batch: list[_Job] = []
        while job is not None:
            batch.append(job)
            if len(batch) == _MOST_IN_A_BATCH:
                return batch, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False


def _settle(connection: sqlite3.Connection, batch: list[_Job]) -> None:
    """Store the batch, then tell each caller; all of them the error if it failed."""
    try:
        answers = _commit(connection, [message for message, _ in batch])
    except sqlite3.Error as error:
        for _, done in batch:
            done.set_exception(StoreError(str(error)))
    else:
        for (_, done), duplicate in zip(batch, answers, strict=True):
            done.set_result(duplicate)


def _commit(connection: sqlite3.Connection, messages: list[Message]) -> list[bool]:
    now = time.time()
    connection.execute("BEGIN IMMEDIATE")
    try:
        answers = [_insert(connection, message, now) for message in messages]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return answers


def _insert(connection: sqlite3.Connection, message: Message, now: float) -> bool:
    row = (
        message.id,
        message.text,
        message.run_id,
        message.trace_id,
        message.span_id,
        message.parent_span_id,
        now,
    )
    if connection.execute(_INSERT, row).rowcount:
        return False
    connection.execute(_REPEATED, (message.id,))
    return True
