"""svca, put together."""

from __future__ import annotations

from flask import Flask

from services.common.propagation import Propagation
from services.common.upstream import Upstream
from services.common.web import base_app
from services.svca import pay
from services.svca.settings import Settings


def create_app(settings: Settings) -> Flask:
    app = base_app(settings.common)
    pay.install(
        app,
        version=settings.common.version,
        svcb=Upstream(settings.svcb_url, settings.timeouts, app.extensions["tracing"]),
        propagation=Propagation(forward_trace_headers=settings.common.forward_trace_headers),
        send_message_id=settings.send_message_id,
        metrics=app.extensions["metrics"],
    )
    return app
