"""Load on the shop's window: what an answer says about itself."""

from __future__ import annotations

from typing import Any

from meshproof.traffic.locust_user import Fields, RecordedUser


class Visitor(RecordedUser):
    """Asks for an offer, over and over."""

    counted = ("priced",)

    def read(self, body: Any) -> Fields:
        return {
            "version": body["version"],
            "extra": {"priced": body["price"] > 0, "reason": body["reason"]},
        }
