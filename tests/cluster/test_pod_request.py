"""One request that a pod's own Python sends."""

from __future__ import annotations

import json

from meshproof.cluster import pod_request


def test_the_script_reads_its_orders_and_says_json() -> None:
    import subprocess
    import sys

    order = pod_request.build_request("http://127.0.0.1:1/", "GET", [("x-a", "b")], b"", 2.0)
    orders = json.dumps(order).encode() + b"\n"
    done = subprocess.run(
        [sys.executable, "-c", pod_request.SCRIPT], input=orders, capture_output=True, check=True
    )
    sent = pod_request.parse_response(done.stdout)
    assert sent.answer is None
    assert "refused" in sent.error
    assert not sent.closed
