"""The load on ``GET /pay``: proofs start it headless, ``make load`` and ``make load-ui`` too.

``meshproof.traffic.settings`` says which environment variables set run id, budget and record file.
"""

from __future__ import annotations

from typing import Any

from meshproof.traffic.locust_user import Fields, RecordedUser


class Payer(RecordedUser):
    """Pays, over and over, and keeps what each answer said."""

    def read(self, body: Any) -> Fields:
        return {
            "version": body["svcb_version"] or "",
            "paid": body["paid"] is True,
            "notified": body["notified"] is True,
            "reason": body["reason"] or "",
            "message_id": body["message_id"] or "",
            "trace_id": body["trace_id"] or "",
        }
