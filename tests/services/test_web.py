"""What all services have alike: errors, probes, log lines."""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime

import pytest
from flask import Flask, request

from services.common import health
from services.common.logs import JsonFormatter
from services.common.settings import CommonSettings
from services.common.web import base_app

SETTINGS = CommonSettings(service="svcx", version="v7", forward_trace_headers=True)


@pytest.fixture
def app() -> Flask:
    app = base_app(SETTINGS)

    @app.post("/bug")
    def bug() -> str:
        raise RuntimeError("secret")

    return app


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nope", 404), ("GET", "/bug", 405), ("POST", "/bug", 500)],
)
def test_every_error_has_one_shape(app: Flask, method: str, path: str, status: int) -> None:
    response = app.test_client().open(path, method=method)
    body = response.get_json()
    assert response.status_code == body["error"]["status"] == status
    assert body["error"]["reason"]
    assert (body["service"], body["version"]) == ("svcx", "v7")
    assert "secret" not in response.get_data(as_text=True)
    if status == 405:
        assert "POST" in response.headers["Allow"]


def test_a_body_that_is_too_large(app: Flask) -> None:
    @app.post("/form")
    def form() -> dict[str, int]:
        return {"fields": len(request.form)}

    client = app.test_client()
    assert client.post("/form", data={"a": "x" * 60_000}).get_json() == {"fields": 1}
    response = client.post("/form", data={"a": "x" * 70_000})
    assert response.status_code == response.get_json()["error"]["status"] == 413


def test_probes(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    health.stopping.set()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_not_ready_says_why() -> None:
    response = base_app(SETTINGS, not_ready=lambda: "no disk").test_client().get("/readyz")
    assert response.status_code == 503
    assert response.get_json()["error"]["message"] == "no disk"


def test_one_json_line_a_request(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="services")
    app.test_client().get(
        "/nope?q=1",
        headers={"x-run-id": "r-1", "x-request-id": "q", "x-b3-traceid": "a" * 32},
    )
    [record] = caplog.records
    line = JsonFormatter(SETTINGS).format(record)
    assert "\n" not in line
    entry = json.loads(line)
    assert entry.pop("ms") >= 0
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "info",
        "service": "svcx",
        "version": "v7",
        "method": "GET",
        "path": "/nope",
        "status": 404,
        "trace_id": "a" * 32,
        "run_id": "r-1",
        "request_id": "q",
    }


def test_a_line_tells_when_its_request_began_however_late_it_is_written(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """On a busy machine a thread may wait between the answer and its line."""
    caplog.set_level(logging.INFO, logger="services")
    before = time.time()
    app.test_client().get("/nope")
    [record] = caplog.records
    after, record.created = record.created, record.created + 60
    entry = json.loads(JsonFormatter(SETTINGS).format(record))
    began = datetime.fromisoformat(entry["time"]).timestamp() - entry["ms"] / 1000
    assert before - 0.001 <= began <= after


def test_probes_are_logged_only_when_they_fail(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="services")
    app.test_client().get("/readyz")
    assert caplog.records == []
    health.stopping.set()
    app.test_client().get("/readyz")
    assert [r.fields["status"] for r in caplog.records] == [503]  # type: ignore[attr-defined]  # set by `extra`


def test_a_bug_is_logged_with_its_trace(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    app.test_client().post("/bug")
    record = next(r for r in caplog.records if r.exc_info)
    line = JsonFormatter(SETTINGS).format(record)
    assert "\n" not in line
    assert "RuntimeError: secret" in json.loads(line)["trace"]


def test_what_is_said_during_a_request_names_its_trace(app: Flask) -> None:
    record = logging.LogRecord("services.x", logging.ERROR, "f", 1, "oops", None, None)
    headers = {"x-b3-traceid": "ab54a98ceb1f0ad2", "x-run-id": "r1"}
    with app.test_request_context("/", headers=headers):
        line = json.loads(JsonFormatter(SETTINGS).format(record))
    assert (line["message"], line["trace_id"], line["run_id"]) == ("oops", "ab54a98ceb1f0ad2", "r1")
    assert "trace_id" not in json.loads(JsonFormatter(SETTINGS).format(record))
