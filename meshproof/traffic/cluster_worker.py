"""One pod of a distributed load: runs Locust, then holds its records until they are fetched.

``python -m meshproof.traffic.cluster_worker ...`` takes one of:

``LOCUST-ARGUMENTS``   the pod's own process
``--ended SECONDS``    in the same pod: Locust's exit code, or nothing while it still runs
``--collect``          in the same pod: its log, totals and records, as JSON

No command can run in a pod that has ended, so it waits to be deleted. The image has the standard
library, Locust and four files of this folder, so it imports nothing else of meshproof.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshproof.traffic.settings import LoadSettings

HOLD = 600.0
"""Seconds for which records are held after the end; they are fetched long before."""
_POLL = 0.1


def share(requests: int, workers: int, index: int) -> int:
    """How many of all requests one worker sends; 0 for no bound."""
    return requests // workers + (index < requests % workers)


def own_settings(environment: Mapping[str, str]) -> LoadSettings:
    """The settings of this pod: a bounded load is divided by the pods' indexes in the Job."""
    settings = LoadSettings.from_environment(environment)
    workers, index = environment.get("WORKERS"), environment.get("JOB_COMPLETION_INDEX")
    if not settings.requests or workers is None or index is None:
        return settings
    return replace(settings, requests=share(settings.requests, int(workers), int(index)))


def run(arguments: list[str]) -> int:
    """Run Locust to its end, store its exit code, and return it."""
    settings = own_settings(os.environ)
    folder = _folder(settings)
    with (folder / "locust.log").open("wb") as log:
        code = subprocess.run(
            [sys.executable, "-m", "locust", *arguments],
            env={**os.environ, **settings.as_environment()},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    unfinished = folder / ".end"
    unfinished.write_text(str(code), encoding="utf-8")
    unfinished.rename(folder / "end")
    return code


def ended(within: float) -> str:
    """Locust's exit code as soon as there is one; an empty string after ``within`` seconds."""
    end = _folder(LoadSettings.from_environment(os.environ)) / "end"
    deadline = time.monotonic() + within
    while not end.exists() and time.monotonic() < deadline:
        time.sleep(_POLL)
    return end.read_text(encoding="utf-8") if end.exists() else ""


def collect() -> dict[str, Any]:
    """``log``, ``stats`` (Locust's totals, null where it wrote none), and ``records``: the record
    file, compressed, in base 64."""
    settings = LoadSettings.from_environment(os.environ)
    stats, records = Path(settings.stats), Path(settings.records)
    lines = records.read_bytes() if records.exists() else b""
    return {
        "log": (_folder(settings) / "locust.log").read_text(encoding="utf-8", errors="replace"),
        "stats": json.loads(stats.read_text(encoding="utf-8")) if stats.exists() else None,
        "records": base64.b64encode(gzip.compress(lines, 6)).decode(),
    }


def _folder(settings: LoadSettings) -> Path:
    return Path(settings.records).parent


def main() -> None:
    """See the module's docstring."""
    match sys.argv[1:]:
        case ["--ended", seconds]:
            print(ended(float(seconds)), end="")
        case ["--collect"]:
            print(json.dumps(collect()))
        case arguments:
            code = run(arguments)
            time.sleep(HOLD)  # the pod is deleted before, as soon as the records are fetched
            sys.exit(code)


if __name__ == "__main__":
    main()
