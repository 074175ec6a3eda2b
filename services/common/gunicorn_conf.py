"""gunicorn's settings for all services; only ``--bind`` and the application are on its command
line: ``python -m gunicorn --config services/common/gunicorn_conf.py --bind 0.0.0.0:8080 APP``.
"""

from __future__ import annotations

import signal
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


def post_worker_init(worker: Any) -> None:
    """On TERM say "not ready" first, then do what gunicorn does."""
    del worker
    finish = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        health.stopping.set()
        if callable(finish):
            finish(number, frame)

    signal.signal(signal.SIGTERM, stop)
