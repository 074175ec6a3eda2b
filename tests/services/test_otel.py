"""A service's own spans stand between its sidecar's two; off by default."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from services.common.settings import SettingsError
from services.common.tracing import OFF
from services.svca.app import create_app
from services.svca.settings import Settings
from tests.fakes.backend import Backend

TRACE, CALLER = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b173"
B3 = {"x-b3-traceid": TRACE, "x-b3-spanid": CALLER, "x-b3-parentspanid": "a" * 16,
      "x-b3-sampled": "1", "x-run-id": "run-1"}  # fmt: skip
W3C = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "a=b"}


def test_it_is_off_by_default() -> None:
    app = create_app(Settings.from_env({}))
    assert app.extensions["tracing"] is OFF


@pytest.mark.parametrize("value", ["zipkin", ""])
def test_another_exporter_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="OTEL_TRACES_EXPORTER"):
        Settings.from_env({"OTEL_TRACES_EXPORTER": value})


class Traced:
    """svca with spans, and those that it has made."""

    def __init__(self, url: str, **env: str) -> None:
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        on = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.78.3:1"}
        app = create_app(Settings.from_env({"SVCB_URL": url, **on, **env}))
        provider = app.extensions["tracing"].provider
        provider._active_span_processor.shutdown()  # what would send them away
        provider._active_span_processor._span_processors = ()
        self.made = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(self.made))
        self.client: FlaskClient = app.test_client()

    def ids(self) -> dict[str, tuple[str, str, str]]:
        """Kind -> trace id, span id, parent id."""
        return {
            span.kind.name: (
                f"{span.context.trace_id:032x}",
                f"{span.context.span_id:016x}",
                f"{span.parent.span_id:016x}" if span.parent else "",
            )
            for span in self.made.get_finished_spans()
        }


@pytest.fixture
def traced(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Traced:
    pytest.importorskip("opentelemetry.sdk", reason="meshproof[otel] is not installed")
    monkeypatch.setenv("no_proxy", "localhost")
    backend.answer = (200, {"notified": True})
    return Traced(backend.url)


@pytest.mark.parametrize("headers", [B3, W3C], ids=["b3", "w3c"])
def test_the_tree_is_caller_request_call_callee(
    headers: dict[str, str], traced: Traced, backend: Backend
) -> None:
    assert traced.client.get("/pay", headers=headers).status_code == 200
    spans = traced.ids()
    assert set(spans) == {"SERVER", "CLIENT"}
    assert spans["SERVER"][::2] == (TRACE, CALLER)
    assert spans["CLIENT"][::2] == (TRACE, spans["SERVER"][1])
    sent = backend.headers[-1]
    assert (sent["x-b3-traceid"], sent["x-b3-spanid"]) == (TRACE, spans["CLIENT"][1])
    assert re.fullmatch(rf"00-{TRACE}-{spans['CLIENT'][1]}-01", sent["traceparent"])
    assert not {"x-b3-parentspanid", "tracestate"} & set(sent)


def test_what_the_mesh_does_not_sample_is_not_sampled(traced: Traced, backend: Backend) -> None:
    traced.client.get("/pay", headers={**B3, "x-b3-sampled": "0"})
    assert traced.ids() == {}
    assert backend.headers[-1]["x-b3-sampled"] == "0"


def test_a_failed_request_is_an_error_and_probes_are_no_spans(
    traced: Traced, backend: Backend
) -> None:
    traced.client.get("/healthz")
    traced.client.get("/metrics")
    traced.client.get("/pay?amount=none", headers=B3)
    (span,) = traced.made.get_finished_spans()
    assert span.attributes is not None
    assert (span.attributes["http.status_code"], span.attributes["run_id"]) == ("400", "run-1")


def test_a_service_that_forwards_nothing_sends_no_ids(traced: Traced, backend: Backend) -> None:
    silent = Traced(backend.url, FORWARD_TRACE_HEADERS="off")
    silent.client.get("/pay", headers=B3)
    assert not {"x-b3-traceid", "traceparent"} & set(backend.headers[-1])
