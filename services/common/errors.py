"""One shape for every answer that is not a success, with an HTTP status that tells the truth.

``{"error": {"status": 502, "reason": "refused", "message": "..."}, "service": "svcb",
"version": "v0.1"}``
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from services.common.settings import CommonSettings

_log = logging.getLogger("services.errors")


class ApiError(Exception):
    """Ends a request; ``extra`` are further fields of the answer beside ``error``."""

    def __init__(
        self, status: int, reason: str, message: str, extra: Mapping[str, Any] | None = None
    ) -> None:
        self.status = status
        self.reason = reason
        self.message = message
        self.extra = dict(extra or {})
        super().__init__(message)


class BadInputError(ApiError):
    """400: the caller's parameters cannot be taken."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "bad input", message)


def install(app: Flask, settings: CommonSettings) -> None:
    """Every error of ``app``, also Flask's own 404 and 405, leaves in the one shape."""

    def answer(error: ApiError) -> tuple[Response, int]:
        body = {
            "error": {
                "status": error.status,
                "reason": error.reason,
                "message": error.message,
            },
            "service": settings.service,
            "version": settings.version,
            **error.extra,
        }
        return jsonify(body), error.status

    def http(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        response, _ = answer(ApiError(status, error.name.lower(), error.description or ""))
        for name, value in error.get_headers():  # Allow of a 405, for one
            if name.lower() not in {"content-type", "content-length"}:
                response.headers[name] = value
        return response, status

    def bug(error: Exception) -> tuple[Response, int]:
        _log.error("unexpected %s", type(error).__name__, exc_info=error)
        return answer(ApiError(500, "error", f"unexpected {type(error).__name__}"))

    app.register_error_handler(ApiError, answer)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, bug)
