from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from services.svcb.app import create_app
from services.svcb.settings import Settings
from tests.fakes.backend import IP, Backend


def svcb(url: str, **env: str) -> FlaskClient:
    settings = Settings.from_env({"MSGD_URL": url, "VERSION": "v0.2", **env})
    return create_app(settings).test_client()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_message_is_handed_on_with_its_id(method: str, backend: Backend) -> None:
    backend.answer = (200, {"stored": True, "duplicate": False})
    response = svcb(backend.url).open("/notify?msg=hello+there&id=m-1", method=method)
    assert response.status_code == 200
    assert response.get_json() == {"notified": True, "version": "v0.2", "message_id": "m-1"}
    assert backend.paths == ["/send?msg=hello+there&id=m-1"]


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ((502, ""), 502, "refused"),
        ((503, "no healthy upstream"), 502, "refused"),
        ("close", 502, "refused"),
        ((403, ""), 502, "refused"),
        ((504, "upstream request timeout"), 504, "timeout"),
        ((404, ""), 502, "error"),
        ((503, {"error": {"reason": "error", "message": "disk full"}}), 502, "error"),
        ((200, {}), 502, "error"),
        ((200, "[]"), 502, "error"),
    ],
)
def test_what_goes_wrong_is_told(answer: Any, status: int, reason: str, backend: Backend) -> None:
    backend.answer = answer
    response = svcb(backend.url).get("/notify?msg=x&id=m-1")
    body = response.get_json()
    assert response.status_code == body["error"]["status"] == status
    assert body["error"]["reason"] == reason
    assert (body["notified"], body["message_id"], body["version"]) == (False, "m-1", "v0.2")
    assert len(backend.paths) == 1


def test_time_runs_out(backend: Backend) -> None:
    backend.answer = "hang"
    response = svcb(backend.url, READ_TIMEOUT="0.05").get("/notify?msg=x")
    assert response.status_code == 504
    assert response.get_json()["error"]["reason"] == "timeout"


def test_nobody_listens() -> None:
    response = svcb(f"http://{IP}:1").get("/notify?msg=x")
    assert (response.status_code, response.get_json()["error"]["reason"]) == (502, "refused")


def test_a_name_that_nobody_has() -> None:
    response = svcb("http://nobody.invalid").get("/notify?msg=x")
    assert (response.status_code, response.get_json()["error"]["reason"]) == (502, "unreachable")


@pytest.mark.parametrize(
    "query", ["", "?msg=", "?msg=x&id=", "?msg=x&id=a/b", "?msg=x&id=" + "a" * 129]
)
def test_bad_input(query: str, backend: Backend) -> None:
    response = svcb(backend.url).get("/notify" + query)
    assert response.status_code == 400
    assert backend.paths == []


class TestProxy:
    """The mesh's way in between is ``http_proxy``; no_proxy is what it leaves alone."""

    def test_the_proxy_is_asked(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        backend.answer = (200, {"stored": True})
        monkeypatch.setenv("http_proxy", backend.url)
        monkeypatch.setenv("no_proxy", "localhost,127.0.0.1,::1")
        assert svcb("http://10.100.35.27:9997").get("/notify?msg=x&id=1").status_code == 200
        assert backend.paths == ["http://10.100.35.27:9997/send?msg=x&id=1"]
        assert backend.headers[0]["host"] == "10.100.35.27:9997"

    def test_no_proxy_holds(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        backend.answer = (200, {"stored": True})
        monkeypatch.setenv("http_proxy", f"http://{IP}:1")
        monkeypatch.setenv("no_proxy", IP)
        assert svcb(backend.url).get("/notify?msg=x&id=1").status_code == 200
        assert backend.paths == ["/send?msg=x&id=1"]

    def test_a_proxy_that_is_gone_is_a_refusal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", f"http://{IP}:1")
        response = svcb("http://msgd.test:9997").get("/notify?msg=x")
        assert (response.status_code, response.get_json()["error"]["reason"]) == (502, "refused")
