"""Baskets, in a database of this replica's own that ``init`` makes."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from common import Headers, serve

DATABASE = Path(os.environ["BASKET_DB"])
KEY = Path(os.environ["BASKET_KEY_FILE"])


def initialise() -> None:
    with closing(sqlite3.connect(DATABASE)) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS basket (user TEXT, item TEXT)")
    print(f"{DATABASE.name} is ready on {os.environ['POD_NAME']}")


def handle(path: str, query: Mapping[str, str], headers: Headers) -> tuple[int, Any]:
    key = {name.lower(): value for name, value in headers.items()}.get("x-basket-key")
    if key != KEY.read_text(encoding="utf-8").strip():
        return 401, {"error": "no basket without its key"}
    user = query.get("user", "")
    with closing(sqlite3.connect(DATABASE)) as database, database:
        if path == "/add":
            database.execute("INSERT INTO basket VALUES (?, ?)", (user, query.get("item", "")))
        rows = database.execute("SELECT item FROM basket WHERE user = ?", (user,)).fetchall()
    return 200, {"user": user, "items": [item for (item,) in rows], "kept": os.environ["POD_NAME"]}


if __name__ == "__main__":
    if sys.argv[1:] == ["init"]:
        initialise()
    else:
        serve(handle)
