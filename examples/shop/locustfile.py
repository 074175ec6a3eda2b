"""Load on the shop's window: what an answer says of itself."""

from __future__ import annotations

from typing import Any

from meshproof.traffic.locust_user import Fields, RecordedUser


class Visitor(RecordedUser):
    """Asks for an offer, over and over."""

    def read(self, body: Any) -> Fields:
        return {"version": body["version"], "reason": body["reason"]}
