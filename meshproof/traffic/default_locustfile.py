"""The locustfile of a project that has none: GET one path; any answer of status 200 is good."""

from __future__ import annotations

from meshproof.traffic.locust_user import Fields, RecordedUser


class Visitor(RecordedUser):
    """Reads nothing from an answer: what a body means only the app's own locustfile can tell."""

    def read_bytes(self, content: bytes) -> Fields:  # noqa: ARG002 (any body is fine)
        return {}
