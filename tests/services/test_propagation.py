"""Every header of the one list arrives at the next service; nothing else does."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from services.common.propagation import HEADERS, Trace, read_trace
from services.svca.app import create_app as create_svca
from services.svca.settings import Settings as SvcaSettings
from services.svcb.app import create_app as create_svcb
from services.svcb.settings import Settings as SvcbSettings
from tests.fakes.backend import Backend

# Written out here once more on purpose: a header that is dropped from the list fails the test.
TRACE = {
    "x-request-id": "13c3af6e-2f52-993d-905f-aa6aa4b57e2d",
    "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    "tracestate": "vendor=1",
    "baggage": "k=v",
    "x-b3-traceid": "c" * 32,
    "x-b3-spanid": "d" * 16,
    "x-b3-parentspanid": "e" * 16,
    "x-b3-sampled": "1",
    "x-b3-flags": "0",
    "b3": f"{'c' * 32}-{'d' * 16}-1",
}
CONTEXT = {"x-run-id": "run-1", "end-user": "tester"}
SENT = {**TRACE, **CONTEXT, "x-secret": "stays here", "cookie": "stays=too"}


def client(service: str, backend: Backend, **env: str) -> tuple[FlaskClient, str]:
    if service == "svca":
        svca = SvcaSettings.from_env({"SVCB_URL": backend.url, **env})
        return create_svca(svca).test_client(), "/pay"
    svcb = SvcbSettings.from_env({"MSGD_URL": backend.url, **env})
    return create_svcb(svcb).test_client(), "/notify?msg=x"


@pytest.mark.parametrize("service", ["svca", "svcb"])
def test_every_header_travels_on(service: str, backend: Backend) -> None:
    app, path = client(service, backend)
    app.get(path, headers=SENT)
    [arrived] = backend.headers
    assert {k: v for k, v in arrived.items() if k in SENT} == {**TRACE, **CONTEXT}


@pytest.mark.parametrize("service", ["svca", "svcb"])
def test_the_negative_control_holds_the_trace_back_but_not_the_run(
    service: str, backend: Backend
) -> None:
    app, path = client(service, backend, FORWARD_TRACE_HEADERS="off")
    app.get(path, headers=SENT)
    [arrived] = backend.headers
    assert {k: v for k, v in arrived.items() if k in SENT} == CONTEXT


def test_nothing_is_made_up(backend: Backend) -> None:
    app, path = client("svca", backend)
    app.get(path)
    [arrived] = backend.headers
    assert not set(arrived) & {header.name for header in HEADERS}


def test_each_header_is_listed_once_with_its_reason() -> None:
    names = [header.name for header in HEADERS]
    assert names == [name.lower() for name in names]
    assert set(names) == {*TRACE, *CONTEXT}
    assert len(names) == len(set(names))
    assert all(len(header.reason) > 10 for header in HEADERS)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        (TRACE, Trace("c" * 32, "d" * 16, "e" * 16)),
        ({"x-b3-traceid": "C" * 16, "x-b3-spanid": "no"}, Trace("c" * 16)),
        ({"b3": f"{'c' * 32}-{'d' * 16}-1-{'e' * 16}"}, Trace("c" * 32, "d" * 16, "e" * 16)),
        ({"b3": f"{'c' * 16}-{'d' * 16}"}, Trace("c" * 16, "d" * 16)),
        ({"b3": "0"}, Trace()),
        ({"traceparent": TRACE["traceparent"]}, Trace("a" * 32, "b" * 16)),
        ({"traceparent": f"00-{'a' * 31}-{'b' * 16}-01"}, Trace()),
        ({"x-b3-traceid": "x" * 32}, Trace()),
        ({}, Trace()),
    ],
)
def test_whom_a_request_belongs_to(headers: dict[str, str], wanted: Trace) -> None:
    assert read_trace(headers) == wanted
