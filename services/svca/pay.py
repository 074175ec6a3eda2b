"""``/pay``: take a payment, then have the payer told.

A payment that was taken stays taken: when the notification fails, the answer is 200 with
``notified: false`` and the reason.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Flask, g, request

from services.common import params
from services.common.metrics import Metrics
from services.common.propagation import Propagation, read_trace
from services.common.upstream import REASONS, Upstream, UpstreamError


def install(
    app: Flask,
    *,
    version: str,
    svcb: Upstream,
    propagation: Propagation,
    metrics: Metrics,
    send_message_id: bool = True,
) -> None:
    payments = metrics.counter(
        "payments",
        "Payments taken, by what became of telling the payer.",
        "result",
        ("notified", *sorted(REASONS)),
    )

    @app.route("/pay", methods=["GET", "POST"])
    def pay() -> dict[str, Any]:
        parameters = params.read(request)
        amount = params.amount(parameters, "amount", "1.00")
        payer = params.text(parameters, "payer", "anonymous")
        message = params.text(parameters, "msg", f"svca:{version}-pays-ok")
        answer: dict[str, Any] = {
            "payment_id": str(uuid.uuid4()),
            "paid": True,
            "amount": f"{amount:.2f}",
            "payer": payer,
            # Minted before the first try: however often a proxy repeats it, it is one message.
            "message_id": str(uuid.uuid4()),
            "trace_id": read_trace(request.headers).trace_id,
        }
        headers = propagation.outgoing(request.headers)
        notification = {"msg": message}
        if send_message_id:
            notification["id"] = answer["message_id"]
        answer.update(_notify(svcb, notification, headers))
        payments.add(answer["reason"] or "notified")
        if not answer["notified"]:
            g.problem = answer["detail"]
        return answer


def _notify(svcb: Upstream, parameters: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
    """The notification's part of the answer; svcb's version is known if svcb itself answered.

    Without an ``id`` it is svcb that makes one, and tells it."""
    try:
        response = svcb.get("/notify", parameters, headers)
        if response.get("notified") is not True:
            raise UpstreamError("error", "svcb: HTTP 200 without notified", response)
    except UpstreamError as error:
        return {
            "notified": False,
            "reason": error.reason,
            "detail": error.detail,
            "svcb_version": error.body.get("version"),
        }
    created = {} if "id" in parameters else {"message_id": response.get("message_id")}
    return {
        **created,
        "notified": True,
        "reason": None,
        "detail": None,
        "svcb_version": response.get("version"),
    }
