"""Runs a real Prometheus beside a mesh on this machine, if one is installed; none is downloaded.

It listens on 127.0.0.1, keeps its data in a temporary folder, and ends with the process that
started it. Jobs and labels are those of manifests/observability, so that the same PromQL works on
both meshes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from meshproof.errors import MeshproofError
from meshproof.host.addresses import can_bind, free_port
from meshproof.telemetry.prometheus_queries import Prometheus
from meshproof.wait import DeadlineExceeded, until

IP, PORT = "127.0.0.1", 9090
JOB = "pods"
_RETENTION = ("--storage.tsdb.retention.time=6h", "--storage.tsdb.retention.size=512MB")
_START_LIMIT, _END_LIMIT = 120.0, 5.0
_PAUSE = 0.05
_BIND_LIFE = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
if os.getppid() != int(sys.argv[1]):  # the parent died before that
    os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Becomes a program that dies when the thread that started it ends, for whatever reason."""


def binary() -> str | None:
    """``$PROMETHEUS``, or the one on PATH; None if there is none."""
    return shutil.which(os.environ.get("PROMETHEUS") or "prometheus")


class PrometheusProcess:
    """Scrapes one mesh while its ``with`` block runs."""

    def __init__(self, metrics_url: str, *, interval: float = 5.0, parent: Path | None = None):
        """``metrics_url`` is ``mesh.url("metrics")``, ``interval`` the seconds between two scrapes.
        The data is in a folder inside ``parent``, by default the system's temporary folder."""
        self._targets = f"{metrics_url.rpartition('/')[0]}/targets"
        self._interval, self._parent = interval, parent
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Prometheus:
        """Raises MeshproofError if none is installed, or if it does not start."""
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
        prometheus = Prometheus(f"http://{address}")
        self._wait_until_ready(prometheus, log)
        return prometheus

    def _config(self) -> dict[str, Any]:
        interval = f"{round(self._interval * 1000)}ms"
        sources = [{"url": self._targets, "refresh_interval": interval}]
        return {
            "global": {"scrape_interval": interval, "scrape_timeout": interval},
            "scrape_configs": [{"job_name": JOB, "http_sd_configs": sources}],
        }

    def _wait_until_ready(self, prometheus: Prometheus, log: Path) -> None:
        def not_ready() -> str:
            if self.poll() is not None:
                raise _start_failure(log)
            try:
                prometheus.get("/-/ready")
            except OSError as error:
                return str(error)
            return ""

        try:
            until(not_ready, "prometheus starts", within=_START_LIMIT, every=_PAUSE)
        except DeadlineExceeded:
            raise _start_failure(log) from None

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return None if self._process is None else self._process.poll()

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired if it still runs by then."""
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


def _start_failure(log: Path) -> MeshproofError:
    output = log.read_text(errors="replace")[-2000:]
    return MeshproofError(f"prometheus did not start; its output:\n{output}")
