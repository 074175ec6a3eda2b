"""The Locust user that records every request. Import it in locustfiles only.

Importing Locust lets gevent patch the process, so nothing else in meshproof imports this module.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import gevent
import geventhttpclient.client
from locust import FastHttpUser, constant, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from meshproof.traffic.record import Record
from meshproof.traffic.settings import LoadSettings

# A connection that closes without an answer is a failed request here. This client would send a
# GET again and hide it; it has no option for that (tests/traffic/test_load.py guards this line).
geventhttpclient.client._may_retry_after_send_error = lambda method: False  # noqa: ARG005

Fields = Mapping[str, Any]
"""What a locustfile reads from an answer: ``version``, ``trace_id``, and ``extra``, a mapping of
the app's own fields; each may be left out."""
_DONE = "meshproof_done"
"""What a worker sends its master when its share of the requests is answered."""


class Run:
    """What all users of this process share: the budget of requests and the record file."""

    def __init__(self, settings: LoadSettings, stop: Callable[[], object]) -> None:
        self.path = settings.path
        run_id = settings.run_id or uuid.uuid4().hex
        self.headers = {**settings.headers, "x-run-id": run_id}
        self.sent = self.done = 0
        self._open = True
        self._limit = settings.requests
        self._stop = stop
        self._file: TextIO | None = None
        if settings.records:  # line buffered, so that others can read while the load runs
            self._file = Path(settings.records).open(  # noqa: SIM115 (closed by ``close``)
                "a", encoding="utf-8", buffering=1
            )

    def begin(self, **_: Any) -> None:
        """A test starts; with the web page it may be one of several."""
        self.sent, self.done, self._open = 0, 0, True

    def halt(self, **_: Any) -> None:
        """Send nothing more. Locust kills users that wait between two requests, but one that it
        is about to kill may run once more before: its request would be sent and never counted."""
        self._open = False

    def take(self) -> int:
        """Take one request of the budget, and return its number; 0 when the budget is used up or
        the test is stopping."""
        if not self._open or (self._limit and self.sent >= self._limit):
            return 0
        self.sent += 1
        return self.sent

    def put(self, record: Record) -> None:
        """Record a request; the last one of the budget ends the load."""
        if self._file:
            self._file.write(json.dumps(record.as_dict()) + "\n")
        self.done += 1
        if self.done == self._limit:
            gevent.spawn(self._stop)

    def close(self) -> None:
        if self._file:
            self._file.close()


@events.init.add_listener  # type: ignore[untyped-decorator]  # Locust is untyped
def _set_up(environment: Any, **_: Any) -> None:
    settings = LoadSettings.from_environment(os.environ)
    runner = environment.runner
    spread = isinstance(runner, WorkerRunner)
    stop = (lambda: runner.send_message(_DONE)) if spread else runner.quit
    run = environment.meshproof_run = Run(settings, stop)
    environment.meshproof_settings = settings
    if isinstance(runner, MasterRunner):
        _quit_when_all_are_done(environment)
    totals = _Totals()
    environment.events.request.add_listener(totals.add)

    def end(**_: Any) -> None:
        run.close()
        if settings.stats:  # a worker's own statistics are emptied with each report to its master
            total = totals if spread else environment.stats.total
            data = {
                "sent": run.sent,
                "requests": total.num_requests,
                "failures": total.num_failures,
                "counted": _counted(environment.user_classes),
            }
            Path(settings.stats).write_text(json.dumps(data), encoding="utf-8")

    environment.events.test_start.add_listener(run.begin)
    environment.events.test_stopping.add_listener(run.halt)
    environment.events.quit.add_listener(end)


class _Totals:
    """What Locust reported of the requests of this process."""

    num_requests = num_failures = 0

    def add(self, exception: Any = None, **_: Any) -> None:
        self.num_requests += 1
        self.num_failures += exception is not None


def _counted(users: list[type]) -> list[str]:
    """What the locustfile's users want counted, each name once."""
    return list(dict.fromkeys(name for user in users for name in getattr(user, "counted", ())))


def _quit_when_all_are_done(environment: Any) -> None:
    done: set[str] = set()

    def listen(msg: Any, **_: Any) -> None:
        done.add(msg.node_id)
        if len(done) == environment.parsed_options.expect_workers:
            gevent.spawn(environment.runner.quit)

    environment.runner.register_message(_DONE, listen)


class RecordedUser(FastHttpUser):  # type: ignore[misc]  # Locust comes without type information
    """Sends requests one after another, as fast as they are answered, and records each.

    Subclass it in a locustfile, and read an answer's JSON in ``read``.
    """

    abstract = True
    wait_time = constant(0)
    concurrency = 1
    connection_timeout = network_timeout = 30.0
    counted: tuple[str, ...] = ()
    """Fields of ``extra`` that a load's summary counts: ``("sold",)`` adds ``N sold`` to it, the
    number of answers in which ``extra["sold"]`` is true."""

    def read(self, body: Any) -> Fields:
        """The fields of a ``Record`` that an answer's JSON holds. May raise for a body that is not
        as agreed: such a request has failed."""
        raise NotImplementedError

    def read_bytes(self, content: bytes) -> Fields:
        """The same for a whole body. Override this one for answers that are not JSON."""
        return self.read(json.loads(content))

    @task  # type: ignore[untyped-decorator]  # Locust comes without type information
    def exchange(self) -> None:
        run: Run = self.environment.meshproof_run
        if not (number := run.take()):
            raise StopUser
        wall, began = time.time(), time.perf_counter()
        with self.client.get(
            run.path, headers=run.headers, catch_response=True, allow_redirects=False
        ) as response:
            record = self._record(response, wall, time.perf_counter() - began, number)
            if record.answered:
                response.success()
            else:
                response.failure(record.error or f"status {record.status}")
        run.put(record)

    def _record(self, response: Any, wall: float, elapsed: float, number: int) -> Record:
        record = Record(wall, elapsed, int(response.status_code or 0), number=number)
        if not record.status:
            return replace(record, error=str(response.error or "no answer"))
        if record.status != 200:
            return record
        if cut := response.request_meta["exception"]:
            return replace(record, status=0, error=f"broke off after status 200: {cut!r}")
        try:
            return replace(record, **self.read_bytes(response.content))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return replace(record, error=f"the body is not as agreed: {error!r}")
