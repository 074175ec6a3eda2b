"""JSON logs on standard output: one line a request, and one for whatever else is said.

Probes and scrapes that succeed are not logged: at a few a second they would bury the rest.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, has_request_context, request

from services.common.propagation import RUN_ID, read_trace
from services.common.settings import CommonSettings

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

_log = logging.getLogger("services.request")


class JsonFormatter(logging.Formatter):
    """A record as one JSON object; ``extra={"fields": {...}}`` adds to it."""

    def __init__(self, settings: CommonSettings) -> None:
        super().__init__()
        self._settings = settings

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": _iso(record.created),
            "level": record.levelname.lower(),
            "service": self._settings.service,
            "version": self._settings.version,
        }
        if message := record.getMessage():
            entry["message"] = message
        entry.update(getattr(record, "fields", None) or _whose())
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def _whose() -> dict[str, str]:
    """The request that is being answered, for what is said meanwhile."""
    if not has_request_context():
        return {}
    headers = request.headers
    return {"trace_id": read_trace(headers).trace_id, "run_id": headers.get(RUN_ID, "")}


def to_stdout(settings: CommonSettings) -> None:
    """Send what ``services`` logs to standard output; called once, by the process's entry."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(settings))
    logger = logging.getLogger("services")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def install(app: Flask) -> None:
    """Log every request of ``app`` when its answer is ready."""

    @app.before_request
    def start() -> None:
        g.began, g.started = time.time(), time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if request.path in PROBES and response.status_code == 200:
            return response
        headers = request.headers
        seconds = round(time.perf_counter() - g.started, 5)
        fields = {
            # When it ended, so that less "ms" is when it began, however late this line is written.
            "time": _iso(g.began + seconds),
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "ms": round(seconds * 1000, 2),
            "trace_id": read_trace(headers).trace_id,
            "run_id": headers.get(RUN_ID, ""),
            "request_id": headers.get("x-request-id", ""),
        }
        if problem := getattr(g, "problem", ""):
            fields["problem"] = problem
        _log.info("", extra={"fields": fields})
        return response
