"""The host outside that the shop buys its rates from; here a stand-in for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common import Headers, serve

RATES = {"USD": 1.25, "JPY": 160.0}


def handle(path: str, _query: Mapping[str, str], _headers: Headers) -> tuple[int, Any]:
    currency = path.rpartition("/")[2]
    if currency not in RATES:
        return 404, {"error": f"no rate for {currency}"}
    return 200, {"rate": RATES[currency]}


if __name__ == "__main__":
    serve(handle)
