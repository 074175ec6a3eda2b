"""A load that the pods of a cluster send: what is asked for, and the files that it leaves.

"Distributed" is Locust's term for one master and several workers.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshproof.errors import UsageError
from meshproof.traffic.results import LoadError

RECORDS, STATS, LOG = "requests.ndjson", "locust.json", "locust.log"
"""Files that ``write`` leaves in its folder; ``traffic.results.read`` takes the first two."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DistributedLoad:
    """What is to be sent. Exactly one of ``requests`` and ``seconds``: a pod gets no Ctrl-C."""

    run_id: str
    workers: int
    users: int
    locustfile: str
    """Its text."""
    requests: int = 0
    seconds: float = 0.0
    path: str = "/"

    def check(self) -> None:
        """Raises UsageError for a load that cannot be spread over the workers."""
        if bool(self.requests) == bool(self.seconds):
            raise UsageError("load: with workers wanted one of --seconds and --requests")
        for what, count in (("users", self.users), ("requests", self.requests or self.workers)):
            if not 1 <= self.workers <= count:
                raise UsageError(
                    f"load: {self.workers} workers for {count} {what}; wanted at least one a worker"
                )


def write(outputs: Sequence[Json], folder: Path) -> None:
    """The output of each pod, the master's first, as one load's files in ``folder``.

    An output is what ``traffic.cluster_worker --collect`` prints: ``log``, ``stats``, ``records``.
    Raises LoadError where a worker ended without Locust's totals.
    """
    master, *workers = outputs
    totals = {"sent": 0, "requests": 0, "failures": 0}
    counted: dict[str, None] = {}
    with (folder / RECORDS).open("wb") as records:
        for worker in workers:
            if worker["stats"] is None:
                tail = " | ".join(worker["log"].strip().splitlines()[-5:])
                raise LoadError(f"a worker of the load ended without totals; its log ends: {tail}")
            totals = {name: totals[name] + worker["stats"][name] for name in totals}
            counted |= dict.fromkeys(worker["stats"].get("counted", ()))
            records.write(gzip.decompress(base64.b64decode(worker["records"])))
    stats = {**totals, "counted": list(counted)}
    (folder / STATS).write_text(json.dumps(stats), encoding="utf-8")
    (folder / LOG).write_text(master["log"], encoding="utf-8")
