"""Runs Locust in a process of its own and returns its results."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from meshproof.host import load_folders
from meshproof.progress import report_progress
from meshproof.traffic import results
from meshproof.traffic.locust_process import LocustProcess, LocustServer
from meshproof.traffic.record_tail import RecordTail
from meshproof.traffic.results import LoadError, Results
from meshproof.traffic.settings import LoadSettings
from meshproof.wait import DeadlineExceeded, until

STOP_SECONDS = 35.0
"""Longer than a request may take (30 s): a stopped load still waits for requests in flight."""
_POLL = 0.01
_REPORT_EVERY = 1.0
"""Seconds between two reports of progress."""


class Load:
    """One run of Locust, by default without its web page: no port is opened.

    ``requests`` sends exactly so many, ``seconds`` runs so long; with neither it runs until
    ``stop``. ``page`` is the port on 127.0.0.1 of Locust's page, from which the user then starts
    loads. As a context manager it starts at once and ends the process at the end of the block.
    """

    def __init__(
        self,
        host: str,
        *,
        locustfile: Path,
        users: int = 8,
        requests: int = 0,
        seconds: float = 0.0,
        run_id: str = "",
        headers: Mapping[str, str] | None = None,
        path: str = "/",
        folder: Path | None = None,
        page: int = 0,
        server: LocustServer | None = None,
    ) -> None:
        """``folder`` gets the records, the totals and Locust's log; by default it is temporary.
        ``server`` starts Locust; whoever starts several loads saves its imports by sharing one.
        """
        if users < 1 or requests < 0 or seconds < 0 or seconds % 1 or (requests and seconds):
            raise ValueError(
                f"users {users}, requests {requests}, seconds {seconds}: wanted at least one"
                " user, and requests or seconds, not both, and whole seconds (Locust's)"
            )
        if not locustfile.is_file():
            raise LoadError(f"{locustfile}: there is no such locustfile")
        self.run_id = run_id or uuid.uuid4().hex
        self._host, self._locustfile = host, locustfile
        self._of_total = f" of {requests:,}" if requests else ""
        self._users, self._seconds, self.page = users, seconds, page
        self._temporary = None if folder else load_folders.create()
        self._folder = folder or Path(self._temporary.name if self._temporary else "")
        self._folder.mkdir(parents=True, exist_ok=True)
        token = uuid.uuid4().hex[:8]
        self._records = self._folder / f"requests-{token}.ndjson"
        self._stats = self._folder / f"locust-{token}.json"
        self._log = self._folder / f"locust-{token}.log"
        self._settings = LoadSettings(
            self.run_id, str(self._records), str(self._stats), requests, path, headers or {}
        )
        self._tail = RecordTail(self._records)
        self._server, self._shares_server = server or LocustServer(), server is not None
        self._process: LocustProcess | None = None

    def start(self) -> Load:
        """Start the process; the first request of a server's first load follows after a second."""
        if self._process:
            raise LoadError(f"load {self.run_id} was started before; make a new one")
        environment = {**os.environ, **self._settings.as_environment()}
        self._process = self._server.start(self.arguments(), environment, self._log)
        return self

    def arguments(self) -> list[str]:
        """Locust's command line."""
        users = str(self._users)
        web = ["--web-host", "127.0.0.1", "--web-port", str(self.page)]
        return [
            "--locustfile", str(self._locustfile), "--host", self._host,
            "--users", users, "--spawn-rate", users, "--loglevel", "WARNING", "--only-summary",
            "--stop-timeout", str(int(STOP_SECONDS)), "--exit-code-on-error", "0",
            *(web if self.page else ["--headless"]),
            *(["--run-time", f"{self._seconds:g}s"] if self._seconds else []),
        ]  # fmt: skip

    def page_ready(self, *, within: float = 600.0) -> str:
        """The address of Locust's page, once it answers. Raises LoadError if it never does."""
        silent = "Locust's page does not answer"

        def reason() -> str:
            if self._started().poll() is not None:
                raise self._failure(silent)
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.page)):
                return ""
            return silent

        self._until(reason, within)
        return f"http://127.0.0.1:{self.page}"

    def summary(self) -> str:
        """Locust's own table, and whatever else it printed; before ``close``."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def progress(self) -> int:
        """How many requests are recorded by now. Only new records are read."""
        return self._tail.read()

    def reach(self, n: int, *, within: float = 600.0) -> Load:
        """Return when ``n`` requests are recorded. Raises LoadError if they never are."""

        def reason() -> str:
            count = self.progress()
            if count < n and self._started().poll() is not None:
                raise self._failure(f"ended after {count} requests; wanted {n}")
            return "" if count >= n else f"made {count} requests in {within:g} s; wanted {n}"

        self._until(reason, within)
        return self

    def until(
        self, decides: Callable[[Mapping[str, int]], bool], *, within: float = 1200.0
    ) -> Results:
        """Send until the answers suffice, or until the bound is reached, and end the load.

        ``decides`` gets version -> answers of the requests sent first, without a gap (see
        ``RecordTail``), whenever there are more.
        """

        def reason() -> str:
            count = self._tail.read(versions=True)
            if decides(self._tail.versions) or self._started().poll() is not None:
                return ""
            return f"made {count} requests in {within:g} s, and they do not suffice"

        self._until(reason, within)
        return self.stop()

    def wait(self, *, within: float = 1200.0) -> Results:
        """Wait for a bounded load to end by itself."""
        process = self._started()
        deadline = time.monotonic() + within
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(min(_REPORT_EVERY, max(0.0, deadline - time.monotonic())))
                return self._results()
            count = self.progress()
            if time.monotonic() >= deadline:
                self._end()
                raise self._failure(f"did not end in {within:g} s; {count} requests done")
            report_progress(f"load: {count:,}{self._of_total} requests are done")

    def stop(self) -> Results:
        """End the load now: requests in flight are still answered and counted."""
        process = self._started()
        if process.poll() is None:
            process.terminate()
        return self.wait(within=STOP_SECONDS + 60)

    def close(self) -> None:
        """End the process, and all that it started, if it still runs; safe to call twice."""
        self._end()
        if not self._shares_server:
            self._server.close()
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> Load:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _until(self, reason: Callable[[], str], within: float) -> None:
        try:
            until(reason, "load", within=within, every=_POLL)
        except DeadlineExceeded as late:
            raise self._failure(late.last) from None

    def _results(self) -> Results:
        process = self._started()
        self._end()
        if process.returncode != 0:
            raise self._failure(f"Locust ended with code {process.returncode}")
        if self.page:  # several tests may have run there, and Locust totals only the last
            return results.read_unchecked(self.run_id, self._records, self._stats)
        return results.read(self.run_id, self._records, self._stats)

    def _started(self) -> LocustProcess:
        if self._process is None:
            raise LoadError(f"load {self.run_id} was not started")
        return self._process

    def _end(self) -> None:
        if self._process:
            self._process.close()

    def _failure(self, what: str) -> LoadError:
        text = self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""
        tail = " | ".join(text.strip().splitlines()[-5:])
        return LoadError(f"load {self.run_id} on {self._host}: {what}; its log ends: {tail}")
