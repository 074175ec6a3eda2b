"""A Flask application with what all three services have: errors, logs, probes, metrics, limits."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from services.common import errors, health, logs, metrics, tracing
from services.common.limits import MAX_BODY_BYTES
from services.common.settings import CommonSettings


def _always_ready() -> str:
    return ""


def base_app(settings: CommonSettings, not_ready: Callable[[], str] = _always_ready) -> Flask:
    """The application without its own endpoints yet; touches neither network nor disk."""
    app = Flask(settings.service, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    if isinstance(app.json, DefaultJSONProvider):
        app.json.sort_keys = False
    errors.install(app, settings)
    logs.install(app)
    tracing.install(app, settings)
    health.install(app, not_ready)
    metrics.install(app, settings, logs.PROBES)
    return app
