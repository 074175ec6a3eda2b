"""What a pod's sidecar and app print: access log records, statistics, responses to requests."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.cluster_machine import Machine

BLOCKED = {
    "time": "2026-11-23T17:55:25.635Z", "code": 0, "flags": "UH", "run_id": None, "route": None,
    "upstream_cluster": "BlackHoleCluster", "downstream_local": "10.100.35.27:9997",
    "request_id": None,
}  # fmt: skip
"""A connection that REGISTRY_ONLY closed."""
CALL = {
    "time": "2026-11-23T17:55:25.630Z", "method": "GET", "path": "/notify", "code": 200,
    "flags": "-", "run_id": "r1", "route": "default", "upstream_cluster": "inbound|8080||",
    "downstream_local": "10.244.0.6:8080", "request_id": "811d402f-5478-403c-9406-86b8a7b6c3d7",
}  # fmt: skip
FLUSHED = {"stats": [{"name": "filesystem.write_total_buffered", "value": 0}]}


class PodOutput:
    """What the pods of a machine print from now on."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def stats(self, stats: dict[str, Any]) -> None:
        self._machine.fail("stats?format=json", (0, json.dumps(stats), ""))

    def log(self, *records: dict[str, Any]) -> None:
        text = "".join(json.dumps(record) + "\n" for record in records)
        self._machine.fail("logs svcb-v0.1-0", (0, text, ""))

    def response(self, **fields: Any) -> None:
        """Of the script that sends a request from a pod."""
        whole = {"error": "", "closed": False, "ip": "10.100.35.27:9997", "seconds": 0.1, **fields}
        self._machine.fail("python3 -c", (0, json.dumps(whole), ""))
