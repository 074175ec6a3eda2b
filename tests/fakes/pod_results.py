"""What the pods of a distributed load print when they are collected."""

from __future__ import annotations

import base64
import gzip
import json

from meshproof.traffic.record import Record


def pod_results(*versions: str, log: str = "table", status: int = 200) -> str:
    """The output of one pod, with a record for each of ``versions``."""
    records = [Record(float(n), 0.1, status, version=v) for n, v in enumerate(versions)]
    lines = "".join(json.dumps(r.as_dict()) + "\n" for r in records).encode()
    stats = {"sent": len(records), "requests": len(records), "failures": 0}
    stats["failures"] = sum(not r.answered for r in records)
    packed = base64.b64encode(gzip.compress(lines)).decode()
    return json.dumps({"log": log, "stats": stats, "records": packed})
