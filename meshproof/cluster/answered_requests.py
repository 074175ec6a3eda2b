"""Requests that a sidecar has answered and must have logged.

An Envoy says when it has written its log. From there to what Kubernetes gives out, lines pass
through a pipe and the container runtime, which takes its time on a busy machine: the lines of 20
requests were missing half a second after the last answer. So a log is read until it has the line of
each request that ``curl`` has sent from that pod.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable

from meshproof.cluster.pods import Pod
from meshproof.wait import DeadlineExceeded, until

WITHIN = 15.0
"""Seconds for a line to arrive. One that does not is no longer waited for: a Telemetry may turn
logging off."""


class AnsweredRequests:
    """Callable from any thread."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, str], set[str]] = {}
        self._lock = threading.Lock()

    def add(self, pod: Pod, request_id: str, headers: Iterable[tuple[str, str]]) -> None:
        """A request from a pod that got an answer with these headers. Only an Envoy's HTTP filters
        write a line with its id; they call themselves ``envoy``."""
        if ("server", "envoy") in [(name.lower(), value) for name, value in headers]:
            with self._lock:
                self._pending.setdefault((pod.namespace, pod.name), set()).add(request_id)

    def read_with(self, pod: Pod, read: Callable[[], str]) -> str:
        """The log as ``read`` gives it, once it has every request that was added before."""
        with self._lock:
            pending = self._pending.pop((pod.namespace, pod.name), set())
        log = ""

        def reason() -> str:
            nonlocal log, pending
            log = read()
            pending = {one for one in pending if _unique_part(one) not in log}
            return f"{len(pending)} requests are missing" if pending else ""

        with contextlib.suppress(DeadlineExceeded):
            until(reason, f"waiting for lines in the log of {pod.name}", within=WITHIN, every=0.1)
        return log


def _unique_part(request_id: str) -> str:
    """Envoy writes its sampling decision into position 14."""
    return request_id[15:]
