from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.msgd.store import Message, Store, StoreError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path)
    yield store
    store.close()


def test_many_threads_lose_nothing_and_keep_each_once(store: Store) -> None:
    ids = [f"m-{n % 300}" for n in range(900)]
    with ThreadPoolExecutor(16) as pool:
        duplicates = list(pool.map(lambda i: store.add(Message(i, "x")), ids))
    kept = store.messages()
    assert sorted(k.message.id for k in kept) == sorted(set(ids))
    assert sum(duplicates) == 600 == sum(k.duplicates for k in kept)


def test_what_add_returned_for_is_seen_by_others_at_once(store: Store, path: Path) -> None:
    store.add(Message("a", "x"))
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT id FROM messages").fetchall() == [("a",)]
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()


def test_it_is_there_after_another_opening(store: Store, path: Path) -> None:
    store.add(Message("a", "x", run_id="r"))
    store.close()
    again = Store(path)
    assert again.add(Message("a", "y")) is True
    assert [k.message.text for k in again.messages("r")] == ["x"]
    again.close()


def test_a_commit_that_fails_is_told_to_all_and_the_next_one_works(
    store: Store, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(
        "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(store.add, Message(f"m-{n}", "x")) for n in range(4)]
    for future in futures:
        with pytest.raises(StoreError, match="disk full"):
            future.result()
    other.execute("DROP TRIGGER full")
    other.close()
    assert store.add(Message("m-0", "x")) is False
    assert len(store.messages()) == 1


def test_close_stores_what_was_handed_in_and_refuses_the_rest(store: Store) -> None:
    start = threading.Barrier(9)
    acknowledged: list[str] = []

    def send(number: int) -> None:
        start.wait()
        for n in range(200):
            ident = f"{number}-{n}"
            try:
                store.add(Message(ident, "x"))
            except StoreError:
                return
            acknowledged.append(ident)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    start.wait()
    store.close()
    for thread in threads:
        thread.join()
    assert sorted(k.message.id for k in store.messages()) == sorted(acknowledged)
    assert store.problem() == "the store is closed"


def test_a_file_that_is_no_store(path: Path) -> None:
    path.write_text("not a database, but long enough to be looked at")
    with pytest.raises(StoreError, match="not a database"):
        Store(path)


def test_a_store_that_is_told_to_keeps_what_comes_twice(path: Path) -> None:
    store = Store(path, drop_duplicates=False)
    assert [store.add(Message("a", "x")) for _ in range(2)] == [False, False]
    assert [k.message.id for k in store.messages()] == ["a", "a"]
    store.close()
