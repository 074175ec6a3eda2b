"""``/healthz``: the process answers. ``/readyz``: it wants requests, and can serve them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask

from services.common.errors import ApiError

stopping = threading.Event()
"""Set when the process was told to end: not ready from then on, while it finishes its work."""


def install(app: Flask, not_ready: Callable[[], str]) -> None:
    """``not_ready`` says why requests cannot be served, in an empty text if they can."""

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        problem = "stopping" if stopping.is_set() else not_ready()
        if problem:
            raise ApiError(503, "not ready", problem)
        return {"status": "ready"}
