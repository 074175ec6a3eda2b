"""The locustfile of a project that has none: GET one path, take any answer of status 200."""

from __future__ import annotations

from meshproof.traffic.locust_user import Fields, RecordedUser


class Visitor(RecordedUser):
    """Asks, over and over. What an answer's body says, only a locustfile of its own can tell."""

    def understood(self, content: bytes) -> Fields:  # noqa: ARG002 (any will do)
        return {}
