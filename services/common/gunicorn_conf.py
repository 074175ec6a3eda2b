"""gunicorn's settings for all services; only ``--bind`` and the application are on its command
line: ``python -m gunicorn --config services/common/gunicorn_conf.py --bind 0.0.0.0:8080 APP``.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

from services.common import health, limits

worker_class = "gthread"
workers = 1  # msgd has one writer; more throughput comes from more replicas
threads = limits.THREADS
keepalive = limits.KEEP_ALIVE_SECONDS
graceful_timeout = 25  # with preStop within the 35 s that the manifests give

# A worker that hangs is the liveness probe's to find. gunicorn's own watch would kill one
# that was stopped and continued, as a pause fault does.
timeout = 0

accesslog = None  # services.common.logs writes a line a request, in JSON
errorlog = "-"
loglevel = "warning"

# Nothing is left behind: no control socket in the home folder, no heartbeat file on a disk
# that may be read-only.
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


SILENT_SECONDS = 2.0
"""How long a worker that ends waits for the first request on a connection."""


def post_worker_init(worker: Any) -> None:
    """On TERM say "not ready" first, then do what gunicorn does.

    gunicorn waits 2 s for one more request on a connection that had one, and on one that never had
    any as long as it may, 25 s. A sidecar has such: it opens a connection for a request that
    another one turns out to serve.
    """
    finish = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        health.stopping.set()
        until = time.monotonic() + SILENT_SECONDS
        for connection in getattr(worker, "pending_conns", ()):
            connection.timeout = min(connection.timeout, until)
        if callable(finish):
            finish(number, frame)

    signal.signal(signal.SIGTERM, stop)
