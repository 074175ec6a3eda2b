"""The shop's window: offers of the catalogue in the currency that is asked for, and baskets."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import Failed, Headers, call, serve

CATALOGUE = os.environ["CATALOGUE_URL"]
QUOTES = os.environ["QUOTES_URL"]
BASKET = os.environ["BASKET_URL"]
BASKETS = int(os.environ["BASKET_COUNT"])
KEY = Path(os.environ["BASKET_KEY_FILE"])


def handle(path: str, query: Mapping[str, str], headers: Headers) -> tuple[int, Any]:
    if path == "/offer":
        return 200, offer(query.get("item", "tea"), query.get("in", "EUR"), headers)
    if path == "/buy":
        user, item = query.get("user", "ann"), query.get("item", "tea")
        return 200, call(f"{basket(user)}/add?user={user}&item={item}", headers, "POST", key())
    return 404, {"error": f"no page {path}"}


def offer(item: str, currency: str, headers: Headers) -> Any:
    """A price in EUR always; in another currency where a rate is to be had."""
    entry = call(f"{CATALOGUE}/items/{item}", headers)
    price, reason = entry["price"], ""
    if currency != "EUR":
        try:
            price *= call(f"{QUOTES}/rate?to={currency}", headers)["rate"]
        except Failed as failed:
            currency, reason = "EUR", str(failed)
    return {
        "item": item,
        "price": round(price, 2),
        "currency": currency,
        "version": entry["version"],
        "reason": reason,
    }


def basket(user: str) -> str:
    """Each user has a basket at one of the numbered replicas, always the same."""
    return BASKET.format(zlib.crc32(user.encode()) % BASKETS)


def key() -> Headers:
    return {"x-basket-key": KEY.read_text(encoding="utf-8").strip()}


if __name__ == "__main__":
    serve(handle)
