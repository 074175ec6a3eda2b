"""What is sold, out of a file; version 2 gives a tenth off."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import Headers, serve

VERSION = os.environ["VERSION"]
ITEMS = Path(os.environ["ITEMS_FILE"])


def handle(path: str, _query: Mapping[str, str], _headers: Headers) -> tuple[int, Any]:
    items = json.loads(ITEMS.read_text(encoding="utf-8"))
    name = path.removeprefix("/items/")
    if name not in items:
        return 404, {"error": f"no item {name}"}
    off = 0.9 if VERSION == "v2" else 1.0
    return 200, {"item": name, "price": items[name] * off, "version": VERSION}


if __name__ == "__main__":
    serve(handle)
