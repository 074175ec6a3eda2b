"""svcb's planned bugs: none by default, and what they do to a payer is what a real one would."""

from __future__ import annotations

import time

from services.svcb.bugs import PlannedBugs
from services.svcb.settings import Settings
from tests.fakes.backend import Backend
from tests.services.test_notify import svcb


def test_there_are_none_unless_planned(backend: Backend) -> None:
    assert Settings.from_env({}).bugs == PlannedBugs(0.0, 0.0)
    backend.answer = (200, {"stored": True, "duplicate": False})
    assert svcb(backend.url).get("/notify?msg=x").status_code == 200


def test_a_planned_failure_is_a_500_that_names_its_version_and_reaches_nobody(
    backend: Backend,
) -> None:
    answer = svcb(backend.url, FAIL_PERCENT="100").get("/notify?msg=x")
    assert answer.status_code == 500
    body = answer.get_json()
    assert body["version"] == "v0.2"
    assert body["error"]["reason"] == "planned bug"
    assert backend.paths == []


def test_a_planned_failure_strikes_by_chance(backend: Backend) -> None:
    backend.answer = (200, {"stored": True, "duplicate": False})
    app = svcb(backend.url, FAIL_PERCENT="50")
    seen = {app.get("/notify?msg=x").status_code for _ in range(40)}
    assert seen == {200, 500}  # one of them alone: a chance of 2 in a million million


def test_a_planned_lie_reaches_nobody(backend: Backend) -> None:
    answer = svcb(backend.url, LIE_PERCENT="100").get("/notify?msg=x&id=m1")
    assert answer.get_json() == {"notified": True, "version": "v0.2", "message_id": "m1"}
    assert backend.paths == []


def test_a_planned_delay_is_waited_for(backend: Backend) -> None:
    backend.answer = (200, {"stored": True, "duplicate": False})
    app = svcb(backend.url, DELAY_MS="30")
    began = time.monotonic()
    assert app.get("/notify?msg=x").status_code == 200
    assert time.monotonic() - began >= 0.03  # at least: a wait is never cut short
