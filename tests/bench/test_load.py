"""The client against a small server, and a process's memory and time."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

from bench import processes
from bench.client import Seen
from bench.load import WARM, Load, LoadError, answered, settings_for, warmed


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        good = self.path == "/good"
        body = b'{"notified":true,"svcb_version":"v0.2"}' if good else b"no"
        self.send_response(200 if good else 503)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/closing":
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_request_is_noted(server: str) -> None:
    settings = settings_for(
        f"{server}/good",
        connections=2,
        seconds=0.2,
        expect='"notified":true',
        mark=r'"svcb_version":"([^"]+)"',
    )
    with Load(settings) as load:
        seen = load.wait()
    assert len(seen.sent) >= 2
    assert set(seen.status) == {200}
    assert all(seen.good)
    assert set(seen.mark) == {"v0.2"}
    assert {len(getattr(seen, name)) for name in Seen.__slots__} == {len(seen.sent)}


def test_refusals_and_closed_connections_are_not_good(server: str) -> None:
    with Load(settings_for(f"{server}/closing", seconds=0.2)) as load:
        seen = load.wait()
    assert 503 in seen.status
    assert 0 in seen.status, "a connection that closed on a request is a failed request"
    assert not any(seen.good)


def test_an_open_load_ends_when_asked(server: str) -> None:
    with Load(settings_for(f"{server}/good")) as load:
        answered(f"{server}/good", "v0.2")
        seen = load.stop()
    assert all(status == 200 for status in seen.status)


def test_a_load_on_nothing_says_so() -> None:
    with (
        Load(settings_for("http://127.0.0.1:1/", seconds=0.1)) as load,
        pytest.raises(LoadError, match="refused"),
    ):
        load.wait()


def test_no_good_answer_is_an_error_that_shows_the_last(server: str) -> None:
    with pytest.raises(LoadError, match="503 no"):
        answered(f"{server}/bad", "v0.2", within=0.1)


def test_the_warm_up_is_left_out() -> None:
    sent = [0.0, WARM / 2, WARM, WARM + 1.0]
    seen = Seen(sent, [9.0, 9.0, 1.0, 2.0], [200] * 4, [True, True, True, False], [""] * 4)
    result = warmed(seen, 2.0)
    assert result.seen.took == [1.0, 2.0]
    assert result.rate == 0.5
    assert result.failed == 1
    assert result.sent == 4


def test_a_load_of_nothing_has_no_figures() -> None:
    with pytest.raises(LoadError, match="no request"):
        warmed(Seen([0.0], [1.0], [200], [True], [""]), 1.0)


def test_memory_and_processor_time_of_this_process() -> None:
    assert processes.memory(os.getpid()) > 1e6
    assert processes.cpu_seconds(os.getpid()) > 0


def test_a_process_that_has_ended_has_no_figures() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    for figure in (processes.memory, processes.cpu_seconds):
        with pytest.raises(psutil.NoSuchProcess):
            figure(ended.pid)
