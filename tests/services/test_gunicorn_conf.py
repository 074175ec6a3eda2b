"""What gunicorn is told; the rest of it runs in test_process.py."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from services.common import gunicorn_conf, health


@pytest.fixture
def terminate(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives a worker, and has it get the signal."""
    monkeypatch.setattr(health, "stopping", threading.Event())
    before = signal.getsignal(signal.SIGTERM)
    handled: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: handled.append(number))

    def send(worker: Any) -> list[int]:
        gunicorn_conf.post_worker_init(worker)
        signal.raise_signal(signal.SIGTERM)
        return handled

    yield send
    signal.signal(signal.SIGTERM, before)


def test_connections_without_a_request_do_not_hold_up_the_end(terminate: Any) -> None:
    now = time.monotonic()
    timeouts = (now + 1e-3, now + 70, now + 75)
    pending = deque(SimpleNamespace(timeout=timeout) for timeout in timeouts)
    assert terminate(SimpleNamespace(pending_conns=pending)) == [signal.SIGTERM]
    limit = time.monotonic() + gunicorn_conf.SILENT_SECONDS
    assert [c.timeout for c in pending] == sorted(c.timeout for c in pending)
    assert pending[0].timeout == timeouts[0]
    assert all(connection.timeout <= limit for connection in pending)
    assert health.stopping.is_set()


def test_another_worker_class_has_none(terminate: Any) -> None:
    assert terminate(SimpleNamespace()) == [signal.SIGTERM]
