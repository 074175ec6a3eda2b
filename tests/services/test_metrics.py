"""What the services count is what happened, and both forms of it are valid."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from services.msgd.app import create_app as create_msgd
from services.msgd.settings import Settings as MsgdSettings
from services.svca.app import create_app as create_svca
from services.svca.settings import Settings as SvcaSettings
from services.svcb.app import create_app as create_svcb
from services.svcb.settings import Settings as SvcbSettings
from tests.fakes.backend import Backend

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def counts(client: FlaskClient, name: str) -> dict[tuple[str, ...], float]:
    """Of one counter: the values of its labels after service and version -> its value, above 0."""
    text = client.get("/metrics").get_data(as_text=True)
    return {
        tuple(v for k, v in sample.labels.items() if k not in ("service", "version")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.value
    }


def svca(url: str) -> FlaskClient:
    return create_svca(SvcaSettings.from_env({"SVCB_URL": url})).test_client()


def test_requests_are_counted_by_method_path_and_status(backend: Backend) -> None:
    backend.answer = (200, {"notified": True})
    client = svca(backend.url)
    for _ in range(2):
        client.get("/pay")
    client.post("/pay")
    client.get("/pay?amount=none")
    client.get("/nowhere/17")
    client.get("/healthz")
    client.get("/metrics")
    assert counts(client, "http_requests_total") == {
        ("GET", "/pay", "200"): 2,
        ("POST", "/pay", "200"): 1,
        ("GET", "/pay", "400"): 1,
        ("GET", "unmatched", "404"): 1,
    }


def test_payments_are_counted_by_what_became_of_telling(backend: Backend) -> None:
    client = svca(backend.url)
    backend.answer = (200, {"notified": True})
    client.get("/pay")
    backend.answer = (503, None)
    client.get("/pay")
    client.get("/pay")
    assert counts(client, "payments_total") == {("notified",): 1, ("refused",): 2}


def test_notifications_are_counted_by_what_became_of_them(backend: Backend) -> None:
    client = create_svcb(SvcbSettings.from_env({"MSGD_URL": backend.url})).test_client()
    backend.answer = (200, {"stored": True})
    client.get("/notify?msg=m")
    backend.answer = (504, None)
    client.get("/notify?msg=m")
    assert counts(client, "notifications_total") == {("sent",): 1, ("timeout",): 1}


def test_messages_are_counted_as_stored_or_known(tmp_path: Path) -> None:
    app = create_msgd(MsgdSettings.from_env({"MSGD_DB": str(tmp_path / "msgd.sqlite")}))
    client = app.test_client()
    for id_ in ("a", "b", "a"):
        client.get(f"/send?msg=m&id={id_}")
    app.extensions["store"].close()
    client.get("/send?msg=m&id=c")
    assert counts(client, "messages_total") == {("stored",): 2, ("duplicate",): 1, ("failed",): 1}


@pytest.mark.parametrize("accept", [OPENMETRICS, "text/plain", ""])
def test_it_is_said_in_the_form_that_is_asked_for(accept: str, backend: Backend) -> None:
    answer = svca(backend.url).get("/metrics", headers={"Accept": accept})
    text = answer.get_data(as_text=True)
    if accept == OPENMETRICS:
        assert answer.content_type.startswith("application/openmetrics-text")
        families = list(read_openmetrics(text))  # type: ignore[no-untyped-call]  # the library's own
        assert len(families) > 5
    else:
        assert answer.content_type.startswith("text/plain")
        assert len(list(text_string_to_metric_families(text))) > 5
        assert "# EOF" not in text
