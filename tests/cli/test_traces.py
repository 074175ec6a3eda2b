"""``traces`` against a real span store: search, one trace, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from aiohttp import web

from meshproof.host.event_loop import LoopThread
from meshproof.telemetry.span_api import application
from meshproof.telemetry.span_store import SpanStore
from tests.cli.conftest import Cli
from tests.fakes.mesh import FakeMesh
from tests.fakes.span_bodies import envoy_body, payment

IP = "127.0.78.2"


@pytest.fixture
def store(fake: FakeMesh, monkeypatch: pytest.MonkeyPatch) -> Iterator[SpanStore]:
    """Of the mesh ``shop``."""
    span_store, loop = SpanStore(age=10**9), LoopThread("spans")

    async def serve() -> tuple[web.AppRunner, str]:
        runner = web.AppRunner(application(span_store))
        await runner.setup()
        site = web.TCPSite(runner, IP, 0)
        await site.start()
        return runner, f"http://{IP}:{runner.addresses[0][1]}"

    runner, url = loop.run(serve())
    monkeypatch.setattr(fake, "url", {"zipkin": url}.__getitem__)
    yield span_store
    loop.run(runner.cleanup())
    loop.close()


def fill(store: SpanStore) -> None:
    for number, failed in ((1, False), (2, True)):
        spans = payment(number, failed=failed, at=1_795_000_000.0 + number)
        store.add(envoy_body(spans), "application/x-protobuf")


ALL = ("--since", "99999999")


def test_a_search_lists_traces_newest_first(store: SpanStore, cli: Cli) -> None:
    fill(store)
    done = cli("traces", *ALL)
    assert done.code == 0
    lines = done.out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [f"{2:032x}", f"{1:032x}"]
    failed = cli("traces", *ALL, "--tags", "error", "--service", "svcb.payments", "-o", "json")
    assert [len(trace) for trace in json.loads(failed.out)] == [5]


def test_one_trace_is_a_waterfall(store: SpanStore, cli: Cli) -> None:
    fill(store)
    done = cli("traces", f"{2:032x}")
    assert done.out.startswith(f"trace {2:032x}, began 2026-")
    last = done.out.splitlines()[-1]
    assert last.startswith("        svcb.payments ")
    assert last.split()[1:4] == ["CLIENT", "msgd.test:80/*", "." * 17 + "=" * 23]


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (("traces",), 1, "no trace matches"),
        (("traces", "ff"), 2, "error: no trace 00000000000000ff"),
        (("traces", "--tags", "=x"), 2, "annotationQuery has the term '=x'; wanted KEY"),
    ],
)
def test_nothing_and_nonsense_are_said(
    store: SpanStore, cli: Cli, argv: tuple[str, ...], code: int, message: str
) -> None:
    done = cli(*argv)
    assert done.code == code
    assert message in done.err
