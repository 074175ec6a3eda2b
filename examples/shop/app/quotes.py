"""Rates of exchange, asked of a host that is not ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from common import Headers, call, serve

RATES = os.environ["RATES_URL"]


def handle(path: str, query: Mapping[str, str], headers: Headers) -> tuple[int, Any]:
    if path != "/rate":
        return 404, {"error": f"no page {path}"}
    return 200, {"rate": call(f"{RATES}/EUR/{query.get('to', 'USD')}", headers)["rate"]}


if __name__ == "__main__":
    serve(handle)
