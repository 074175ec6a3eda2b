"""A real Prometheus beside a mesh on this machine: started where one is installed, never fetched.

It listens on 127.0.0.1, keeps its data in a temporary folder, and ends with whoever started it.
Jobs and labels are those of manifests/observability, so the same PromQL serves both meshes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from meshproof.errors import MeshproofError
from meshproof.host.addresses import can_bind, free_port
from meshproof.telemetry.prometheus_queries import Prometheus

IP, PORT = "127.0.0.1", 9090
JOB = "pods"
_RETENTION = ("--storage.tsdb.retention.time=6h", "--storage.tsdb.retention.size=512MB")
_START_LIMIT, _END_LIMIT = 30.0, 5.0
_PAUSE = 0.05
_BIND_LIFE = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
if os.getppid() != int(sys.argv[1]):  # it died before that
    os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Becomes a program that dies when the thread that started it ends, however that comes."""


def binary() -> str | None:
    """``$PROMETHEUS``, or the one on PATH; None where there is none."""
    return shutil.which(os.environ.get("PROMETHEUS") or "prometheus")


class PrometheusProcess:
    """Scrapes one mesh as long as its ``with`` block runs."""

    def __init__(self, metrics_url: str, *, interval: float = 5.0, parent: Path | None = None):
        """``metrics_url`` is what ``mesh.url("metrics")`` says; ``interval`` in seconds; the data
        go into a folder in ``parent``, by default the system's."""
        self._targets = f"{metrics_url.rpartition('/')[0]}/targets"
        self._interval, self._parent = interval, parent
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Prometheus:
        """Raises MeshproofError where none is installed, or where it does not start."""
        program = binary()
        if program is None:
            raise MeshproofError(
                "prometheus is not installed: not on PATH, and PROMETHEUS names none; "
                "install your system's package (Debian: apt install prometheus)"
            )
        self._folder = tempfile.TemporaryDirectory(prefix="prometheus-", dir=self._parent)
        try:
            return self._start(program, Path(self._folder.name))
        except BaseException:
            self._end()
            raise

    def _start(self, program: str, folder: Path) -> Prometheus:
        address = f"{IP}:{PORT if can_bind(IP, PORT) else free_port(IP)}"
        config, log = folder / "prometheus.yml", folder / "log"
        config.write_text(json.dumps(self._config()), encoding="utf-8")  # YAML takes JSON
        argv = [
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=warn",
            *_RETENTION,
        ]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BIND_LIFE, str(os.getpid()), *argv],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is ours: it ends in order
            )
        found = Prometheus(f"http://{address}")
        self._until_ready(found, log)
        return found

    def _config(self) -> dict[str, Any]:
        every = f"{round(self._interval * 1000)}ms"
        sources = [{"url": self._targets, "refresh_interval": every}]
        return {
            "global": {"scrape_interval": every, "scrape_timeout": every},
            "scrape_configs": [{"job_name": JOB, "http_sd_configs": sources}],
        }

    def _until_ready(self, prometheus: Prometheus, log: Path) -> None:
        deadline = time.monotonic() + _START_LIMIT
        while True:
            if self.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-2000:]
                raise MeshproofError(f"prometheus did not get ready; it said:\n{said}")
            try:
                prometheus.get("/-/ready")
            except OSError:
                time.sleep(_PAUSE)  # it tells nobody when it has begun to listen
            else:
                return

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        return None if self._process is None else self._process.poll()

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired where it still runs by then."""
        assert self._process is not None, "it was started"
        return self._process.wait(seconds)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_END_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._folder is not None:
            self._folder.cleanup()
