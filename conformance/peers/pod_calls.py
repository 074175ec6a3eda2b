"""How a suite's requests are sent where the mesh is in pods: from inside the pod, to the address
itself, since every connection is captured and nothing is a proxy."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from conformance.peers import in_pod

Request = dict[str, Any]
Results = list[Any]
Send = Callable[[Any, str, Sequence[Request]], Results]
OUTSIDE = "gateway"
"""How the suites call this machine itself: a caller without a sidecar."""
NAKED = "peer-naked"
"""A workload without a sidecar, for callers that reach pods by address."""
_ADDRESS = re.compile(r"\{ip:([^}]+)\}")
_LIMIT = 600.0
"""Seconds for one batch of requests."""


def sender(send: Send, python: str, client: str) -> Send:
    """A ``send`` of a suite's ``Mesh`` that goes from inside the caller's pod, with the suites' own
    ``client``; without pods, and for callers on this machine, ``send`` as it was."""

    def send_in_pod(mesh: Any, workload: str, requests: Sequence[Request]) -> Results:
        requests = _fill_in(mesh, requests)
        caller = _caller(mesh, workload, requests)
        prefix = mesh.c.command(caller, terminal=False) if caller else ()
        if not prefix:
            return send(mesh, workload, requests)
        done = subprocess.run(
            [*prefix, python, in_pod.__file__, client],
            input=json.dumps([request | {"direct": True} for request in requests]),
            capture_output=True,
            check=False,
            text=True,
            timeout=_LIMIT,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return list(json.loads(done.stdout))

    return send_in_pod


def _fill_in(mesh: Any, requests: Sequence[Request]) -> Sequence[Request]:
    """With the addresses of pods that they name; the suites do that for some callers alone."""
    text = json.dumps(list(requests))
    if not _ADDRESS.search(text):
        return requests
    replicas = mesh.c.status()["replicas"]
    pods = {f"{r['namespace']}/{r['workload']}": r["address"] for r in replicas}
    filled: list[Request] = json.loads(_ADDRESS.sub(lambda match: pods[match[1]], text))
    return filled


def _caller(mesh: Any, workload: str, requests: Sequence[Request]) -> str:
    """The workload to call from; empty for this machine."""
    if workload != OUTSIDE:
        return workload
    replicas = mesh.c.status()["replicas"]
    pods = {replica["address"] for replica in replicas}
    if not any(request.get("address") in pods for request in requests):
        return ""
    return next((r["namespace"] + "/" + NAKED for r in replicas if r["workload"] == NAKED), "")
