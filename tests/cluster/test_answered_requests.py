"""A log is complete when it has every request that was answered."""

from __future__ import annotations

import pytest

from meshproof.cluster import answered_requests
from meshproof.cluster.answered_requests import AnsweredRequests
from meshproof.cluster.pods import Pod

POD = Pod("svca-0", "shop", {}, "", "svca", True, True, True, False, 0, "")
ID = "811d402f-5478-403c-9406-86b8a7b6c3d7"
LOGGED = "811d402f-5478-903c-9406-86b8a7b6c3d7"
"""As Envoy logs it."""
ENVOY = [("Server", "envoy")]


def test_a_line_that_is_on_its_way_is_waited_for() -> None:
    requests = AnsweredRequests()
    requests.add(POD, ID, ENVOY)
    logs = iter(["", "another line", f"its line {LOGGED}"])
    assert requests.read_with(POD, lambda: next(logs)) == f"its line {LOGGED}"
    assert requests.read_with(POD, lambda: "rotated") == "rotated", "it was there once"


def test_who_is_no_envoy_logs_nothing() -> None:
    requests = AnsweredRequests()
    requests.add(POD, ID, [("server", "gunicorn")])
    assert requests.read_with(POD, lambda: "") == ""


def test_a_line_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answered_requests, "WITHIN", 0.0)
    requests = AnsweredRequests()
    requests.add(POD, ID, ENVOY)
    assert requests.read_with(POD, lambda: "none") == "none"
