"""``/metrics``: what this process has done, for Prometheus.

One process serves all requests of a replica (gunicorn's one worker with threads), so counts are
plain numbers in memory: no files between processes. They begin at 0 when the process does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from flask import Flask, Response, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from services.common.settings import CommonSettings

PATH = "/metrics"
UNMATCHED = "unmatched"
"""The label ``path`` of whatever no endpoint is for: callers must not make up label values."""
# A gauge for each counter, that nobody here reads.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own
_OWN = ("service", "version")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The registry of one application; every sample says which service and version it is of."""

    def __init__(self, settings: CommonSettings) -> None:
        self.registry = CollectorRegistry()
        self._values = (settings.service, settings.version)
        ProcessCollector(registry=self.registry)
        self._requests = self._counter(
            "http_requests",
            "Requests answered, probes and scrapes not.",
            "method",
            "path",
            "status",
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time from a request to its answer.",
            (*_OWN, "path"),
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(name, help_, (*_OWN, *labels), registry=self.registry)

    def counter(self, name: str, help_: str, label: str, known: Sequence[str]) -> Count:
        """A counter with one label; ``known`` values are there from the start, at 0."""
        return Count(self._counter(name, help_, label), self._values, known)

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        self._requests.labels(*self._values, method, path, str(status)).inc()
        self._seconds.labels(*self._values, path).observe(seconds)


class Count:
    """A counter of this service by one label."""

    def __init__(self, counter: Counter, own: tuple[str, str], known: Sequence[str]) -> None:
        self._counter, self._own = counter, own
        for value in known:
            counter.labels(*own, value)

    def add(self, value: str) -> None:
        self._counter.labels(*self._own, value).inc()


def install(app: Flask, settings: CommonSettings, not_counted: frozenset[str]) -> Metrics:
    """Count every request of ``app`` but those of the paths ``not_counted``, and serve the counts
    in the form that is asked for. Its ``Metrics`` are ``app.extensions["metrics"]`` too."""
    metrics = Metrics(settings)
    app.extensions["metrics"] = metrics

    @app.before_request
    def start() -> None:
        g.counted_from = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        if request.path not in not_counted:
            path = request.url_rule.rule if request.url_rule else UNMATCHED
            seconds = time.perf_counter() - g.counted_from
            metrics.answered(request.method, path, response.status_code, seconds)
        return response

    @app.get(PATH)
    def scrape() -> Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(metrics.registry), content_type=content_type)

    return metrics
