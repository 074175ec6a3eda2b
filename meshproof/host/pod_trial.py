"""Whether this machine allows pods, by trying in a process of its own."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path

from meshproof.host import pod_support

_PACKAGE = str(Path(__file__).parents[2])
_TRY = """
import json, sys
sys.path.insert(0, sys.argv[1])
from meshproof.host.namespaces import StepFailed
from meshproof.host.pod_namespaces import PodNamespaces
try:
    PodNamespaces(dns_port=2, inbound_port=3, mesh_handle=100)
except StepFailed as error:
    print(json.dumps([error.step, error.errno, error.strerror]))
"""
_LIMIT = 300.0
"""Seconds; it takes 50 ms."""


@functools.cache
def find_problem() -> str:
    """Why there can be no pods: the first step that fails, and its remedy; else empty."""
    command = [sys.executable, "-I", "-S", "-c", _TRY, _PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_LIMIT)
    return pod_support.explain(*json.loads(done.stdout)) if done.stdout else ""
