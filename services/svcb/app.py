"""svcb, put together."""

from __future__ import annotations

from flask import Flask

from services.common.propagation import Propagation
from services.common.upstream import Upstream
from services.common.web import base_app
from services.svcb import notify
from services.svcb.settings import Settings


def create_app(settings: Settings) -> Flask:
    app = base_app(settings.common)
    notify.install(
        app,
        version=settings.common.version,
        msgd=Upstream(settings.msgd_url, settings.timeouts, app.extensions["tracing"]),
        propagation=Propagation(forward_trace_headers=settings.common.forward_trace_headers),
        bugs=settings.bugs,
        metrics=app.extensions["metrics"],
    )
    return app
