from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.msgd.app import create_app
from services.msgd.settings import Settings

B3 = {"x-b3-traceid": "a" * 32, "x-b3-spanid": "b" * 16, "x-b3-parentspanid": "c" * 16}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(Settings.from_env({"MSGD_DB": str(tmp_path / "m.sqlite")}))
    yield app
    app.extensions["store"].close()


@pytest.fixture
def msgd(app: Flask) -> FlaskClient:
    return app.test_client()


def test_a_message_is_kept_with_its_run_and_trace(msgd: FlaskClient) -> None:
    sent = msgd.get("/send?msg=hello&id=m-1", headers={"x-run-id": "r", **B3})
    assert sent.get_json() == {"stored": True, "duplicate": False, "message_id": "m-1"}
    answer = msgd.get("/messages?run=r&full=1").get_json()
    assert (answer["count"], answer["ids"], answer["duplicates"]) == (1, ["m-1"], {})
    [message] = answer["messages"]
    assert message.pop("received_at") > 1.7e9
    assert message == {
        "id": "m-1",
        "text": "hello",
        "run_id": "r",
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
        "parent_span_id": "c" * 16,
        "duplicates": 0,
    }


def test_a_duplicate_is_dropped_and_told(msgd: FlaskClient) -> None:
    for text in ("first", "second", "third"):
        answer = msgd.post(f"/send?msg={text}&id=m-1", headers={"x-run-id": "r"}).get_json()
        assert (answer["stored"], answer["duplicate"]) == (True, text != "first")
    answer = msgd.get("/messages?run=r&full=1").get_json()
    assert (answer["count"], answer["duplicates"]) == (1, {"m-1": 2})
    assert answer["messages"][0]["text"] == "first"


def test_runs_are_kept_apart(msgd: FlaskClient) -> None:
    for run, ident in (("r1", "a"), ("r2", "b"), ("r1", "c")):
        msgd.get(f"/send?msg=x&id={ident}", headers={"x-run-id": run})
    msgd.get("/send?msg=x&id=d")
    assert msgd.get("/messages?run=r1").get_json()["ids"] == ["a", "c"]
    assert msgd.get("/messages?run=none").get_json()["count"] == 0
    assert msgd.get("/messages?run=").get_json()["ids"] == ["d"]
    assert msgd.get("/messages").get_json()["ids"] == ["a", "b", "c", "d"]


def test_an_id_is_minted_for_whoever_has_none(msgd: FlaskClient) -> None:
    first, second = (msgd.get("/send?msg=x").get_json()["message_id"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("path", ["/send", "/send?msg=", "/send?msg=x&id=%20", "/messages?full=y"])
def test_bad_input(path: str, msgd: FlaskClient) -> None:
    assert msgd.get(path).status_code == 400
    assert msgd.get("/messages").get_json()["count"] == 0


def test_what_cannot_be_stored_is_not_acknowledged(app: Flask, msgd: FlaskClient) -> None:
    app.extensions["store"].close()
    response = msgd.get("/send?msg=x&id=a")
    assert response.status_code == 503
    assert response.get_json()["error"]["reason"] == "error"
    assert msgd.get("/messages").get_json()["count"] == 0
    assert msgd.get("/readyz").status_code == 503
