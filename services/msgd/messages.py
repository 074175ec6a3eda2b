"""``/messages``: what is in the store, of one run (``?run=ID``) or of all.

``count`` and ``ids`` in order of arrival, ``duplicates``: id -> how many more came and were
dropped; with ``full=1`` also ``messages``, each with run, text and trace.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Flask, request

from services.common.errors import ApiError, BadInputError
from services.msgd.store import Store, StoreError


def install(app: Flask, store: Store) -> None:
    @app.get("/messages")
    def messages() -> dict[str, Any]:
        run = request.args.get("run")
        full = request.args.get("full", "0")
        if full not in {"0", "1"}:
            raise BadInputError(f"full is {full[:60]!r}; wanted 0 or 1")
        try:
            kept = store.messages(run)
        except StoreError as error:
            raise ApiError(503, "error", f"cannot be read: {error}") from error
        answer: dict[str, Any] = {
            "run": run,
            "count": len(kept),
            "ids": [k.message.id for k in kept],
            "duplicates": {k.message.id: k.duplicates for k in kept if k.duplicates},
        }
        if full == "1":
            answer["messages"] = [
                {**asdict(k.message), "received_at": k.received_at, "duplicates": k.duplicates}
                for k in kept
            ]
        return answer
