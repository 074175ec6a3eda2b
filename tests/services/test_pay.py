from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.svca.app import create_app
from services.svca.settings import Settings
from tests.fakes.backend import IP, Backend

NOTIFIED = {"notified": True, "version": "v0.2", "message_id": "x"}


def svca(url: str, **env: str) -> FlaskClient:
    return create_app(Settings.from_env({"SVCB_URL": url, **env})).test_client()


def error(status: int, reason: str) -> dict[str, Any]:
    return {"error": {"status": status, "reason": reason, "message": "m"}, "version": "v0.1"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_payment_without_parameters(method: str, backend: Backend) -> None:
    backend.answer = (200, NOTIFIED)
    response = svca(backend.url).open("/pay", method=method)
    answer = response.get_json()
    assert response.status_code == 200
    assert (answer["paid"], answer["notified"], answer["reason"]) == (True, True, None)
    assert answer["svcb_version"] == "v0.2"
    uuid.UUID(answer["payment_id"])
    assert backend.query == {"msg": "svca:v0.1-pays-ok", "id": answer["message_id"]}


def test_an_id_that_is_not_sent_is_svcbs(backend: Backend) -> None:
    """The negative control of the retry proofs."""
    backend.answer = (200, {**NOTIFIED, "message_id": "of-svcb"})
    answer = svca(backend.url, SEND_MESSAGE_ID="off").get("/pay").get_json()
    assert backend.query == {"msg": "svca:v0.1-pays-ok"}
    assert answer["message_id"] == "of-svcb"


def test_every_payment_has_ids_of_its_own(backend: Backend) -> None:
    backend.answer = (200, NOTIFIED)
    client = svca(backend.url)
    answers = [client.get("/pay").get_json() for _ in range(3)]
    assert len({a["payment_id"] for a in answers} | {a["message_id"] for a in answers}) == 6


@pytest.mark.parametrize(
    "how",
    [
        {"query_string": {"amount": "12.5", "payer": "陳", "msg": "a b&c"}},
        {"data": {"amount": "12.50", "payer": "陳", "msg": "a b&c"}},
        {"json": {"amount": 12.5, "payer": "陳", "msg": "a b&c"}},
    ],
)
def test_parameters(how: dict[str, Any], backend: Backend) -> None:
    backend.answer = (200, NOTIFIED)
    answer = svca(backend.url).post("/pay", **how).get_json()
    assert (answer["amount"], answer["payer"]) == ("12.50", "陳")
    assert backend.query["msg"] == "a b&c"


def test_the_trace_id_is_in_the_answer(backend: Backend) -> None:
    answer = svca(backend.url).get("/pay", headers={"x-b3-traceid": "a" * 32}).get_json()
    assert answer["trace_id"] == "a" * 32


@pytest.mark.parametrize(
    ("answer", "reason", "version"),
    [
        ((502, error(502, "refused")), "refused", "v0.1"),
        ((502, error(502, "unreachable")), "unreachable", "v0.1"),
        ((504, error(504, "timeout")), "timeout", "v0.1"),
        ((502, ""), "refused", None),  # a sidecar's own
        ((503, "no healthy upstream"), "refused", None),
        ((504, "upstream request timeout"), "timeout", None),
        ((403, "RBAC: access denied"), "refused", None),
        ((500, "?"), "error", None),
        ((302, ""), "error", None),
        ((200, "not JSON"), "error", None),
        ((200, {"notified": False, "version": "v0.2"}), "error", "v0.2"),
        ("close", "refused", None),
    ],
)
def test_a_failed_notification_never_fails_a_payment(
    answer: Any, reason: str, version: str | None, backend: Backend
) -> None:
    backend.answer = answer
    response = svca(backend.url).get("/pay")
    body = response.get_json()
    assert response.status_code == 200
    assert (body["paid"], body["notified"], body["reason"]) == (True, False, reason)
    assert body["svcb_version"] == version
    assert body["detail"].startswith((backend.url, "svcb: "))


def test_time_runs_out(backend: Backend) -> None:
    backend.answer = "hang"
    body = svca(backend.url, READ_TIMEOUT="0.05").get("/pay").get_json()
    assert (body["paid"], body["notified"], body["reason"]) == (True, False, "timeout")


def test_nobody_listens() -> None:
    body = svca(f"http://{IP}:1").get("/pay").get_json()
    assert (body["paid"], body["reason"]) == (True, "refused")
    assert "Connection refused" in body["detail"]


@pytest.mark.parametrize(
    "how",
    [
        {"query_string": {"amount": bad}}
        for bad in ("", "x", "0", "-1", "nan", "inf", "1.005", "1e12", "1e-9")
    ]
    + [
        {"json": {"amount": True}},
        {"json": {"amount": None}},
        {"json": {"amount": [1]}},
        {"json": {"payer": 7}},
        {"json": []},
        {"data": "{", "content_type": "application/json"},
        {"query_string": {"payer": ""}},
        {"query_string": {"msg": "x" * 257}},
    ],
)
def test_bad_input(how: dict[str, Any], backend: Backend) -> None:
    response = svca(backend.url).post("/pay", **how)
    assert response.status_code == 400
    assert response.get_json()["error"]["reason"] == "bad input"
    assert backend.paths == []


def test_the_longest_message_fits_a_request_line(backend: Backend) -> None:
    backend.answer = (200, NOTIFIED)
    assert svca(backend.url).post("/pay", json={"msg": "😀" * 256}).get_json()["notified"] is True
    assert len(backend.paths[0]) < 4000  # gunicorn's limit is 4094
    assert backend.query["msg"] == "😀" * 256


def test_an_answer_that_breaks_off_is_asked_for_once_more_with_the_same_id(
    backend: Backend,
) -> None:
    """A sidecar has handed its beginning on, and cannot take it back."""
    backend.answer, backend.broken = (200, NOTIFIED), 1
    answer = svca(backend.url).get("/pay").get_json()
    assert (answer["notified"], answer["reason"]) == (True, None)
    assert len(backend.paths) == 2
    assert backend.paths[0] == backend.paths[1]


def test_it_is_not_asked_for_a_third_time(backend: Backend) -> None:
    backend.answer, backend.broken = (200, NOTIFIED), 2
    answer = svca(backend.url).get("/pay").get_json()
    assert (answer["paid"], answer["notified"], answer["reason"]) == (True, False, "refused")
    assert len(backend.paths) == 2


def test_without_an_id_nothing_is_repeated(backend: Backend) -> None:
    backend.answer, backend.broken = (200, NOTIFIED), 1
    answer = svca(backend.url, SEND_MESSAGE_ID="off").get("/pay").get_json()
    assert answer["notified"] is False
    assert len(backend.paths) == 1


def test_what_has_no_answer_is_not_repeated_here(backend: Backend) -> None:
    backend.answer = "close"
    svca(backend.url).get("/pay")
    assert len(backend.paths) == 1
