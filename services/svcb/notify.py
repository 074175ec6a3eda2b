"""``/notify``: hand a message on to msgd, and say truthfully whether that worked.

502 when it was refused (by the mesh, by a closed connection, by a proxy: all alike), 504 when
time ran out, 400 when the parameters are off.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Flask, g, request

from services.common import params
from services.common.metrics import Metrics
from services.common.propagation import Propagation
from services.common.upstream import REASONS, Upstream, UpstreamError
from services.svcb.bugs import PlannedBugs


def install(
    app: Flask,
    *,
    version: str,
    msgd: Upstream,
    propagation: Propagation,
    bugs: PlannedBugs,
    metrics: Metrics,
) -> None:
    notifications = metrics.counter(
        "notifications",
        "Messages that were to be handed on to msgd, by what became of it.",
        "result",
        ("sent", *sorted(REASONS)),
    )

    @app.route("/notify", methods=["GET", "POST"])
    def notify() -> dict[str, Any]:
        parameters = params.read(request)
        message = params.text(parameters, "msg")
        message_id = params.identifier(parameters, "id", str(uuid.uuid4()))
        headers = propagation.outgoing(request.headers)
        bugs.strike()
        sent = {"notified": True, "version": version, "message_id": message_id}
        if bugs.lies():
            return sent
        try:
            stored = msgd.get("/send", {"msg": message, "id": message_id}, headers)
            if stored.get("stored") is not True:
                raise UpstreamError("error", "msgd: HTTP 200 without stored")
        except UpstreamError as error:
            g.problem = error.detail
            notifications.add(error.reason)
            raise error.as_answer(notified=False, message_id=message_id) from error
        notifications.add("sent")
        return sent
