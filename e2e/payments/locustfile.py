"""The load on ``GET /pay``: proofs start it headless, ``make load`` and ``make load-ui`` too.

``meshproof.traffic.settings`` lists the environment variables for run id, budget and record file.
On a cluster this file is all that the pods get, so it imports nothing else of e2e.
"""

from __future__ import annotations

from typing import Any

from meshproof.traffic.locust_user import Fields, RecordedUser


class Payer(RecordedUser):
    """Pays, over and over, and records what each answer said (``e2e.payments.payment``)."""

    counted = ("notified",)

    def read(self, body: Any) -> Fields:
        return {
            "version": body["svcb_version"] or "",
            "trace_id": body["trace_id"] or "",
            "extra": {
                "paid": body["paid"] is True,
                "notified": body["notified"] is True,
                "reason": body["reason"] or "",
                "message_id": body["message_id"] or "",
            },
        }
