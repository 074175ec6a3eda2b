"""``/send``: keep a message. The answer comes when it is on disk, not before."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Flask, request

from services.common import params
from services.common.errors import ApiError
from services.common.metrics import Metrics
from services.common.propagation import RUN_ID, read_trace
from services.msgd.store import Message, Store, StoreError


def install(app: Flask, store: Store, metrics: Metrics) -> None:
    messages = metrics.counter(
        "messages",
        "Messages that arrived, by whether they were kept, known already, or lost.",
        "result",
        ("stored", "duplicate", "failed"),
    )

    @app.route("/send", methods=["GET", "POST"])
    def send() -> dict[str, Any]:
        parameters = params.read(request)
        trace = read_trace(request.headers)
        message = Message(
            id=params.identifier(parameters, "id", str(uuid.uuid4())),
            text=params.text(parameters, "msg"),
            run_id=request.headers.get(RUN_ID, ""),
            trace_id=trace.trace_id,
            span_id=trace.span_id,
            parent_span_id=trace.parent_span_id,
        )
        try:
            duplicate = store.add(message)
        except StoreError as error:
            messages.add("failed")
            raise ApiError(503, "error", f"not stored: {error}") from error
        messages.add("duplicate" if duplicate else "stored")
        return {"stored": True, "duplicate": duplicate, "message_id": message.id}
