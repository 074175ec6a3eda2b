"""msgd, put together."""

from __future__ import annotations

import atexit

from flask import Flask

from services.common.web import base_app
from services.msgd import messages, send
from services.msgd.settings import Settings
from services.msgd.store import Store


def create_app(settings: Settings) -> Flask:
    """Opens the store; whoever makes several closes each by ``app.extensions["store"]``."""
    store = Store(settings.db, drop_duplicates=settings.drop_duplicates)
    atexit.register(store.close)
    app = base_app(settings.common, not_ready=store.problem)
    app.extensions["store"] = store
    send.install(app, store, app.extensions["metrics"])
    messages.install(app, store)
    return app
