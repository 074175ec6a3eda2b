"""Runs the suites' client in a pod: ``python in_pod.py CLIENT.py``.

A suite calls hosts that no name server knows, since its own client hands the name to a proxy. Here
they get an address that nobody has: the sidecar takes the connection, and the Host header or SNI
decides, as where an app resolves names by itself.
"""

from __future__ import annotations

import runpy
import socket
import sys
from typing import Any

NOBODY = "127.251.255.254"
_resolve = socket.getaddrinfo


def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
    """``socket.getaddrinfo``, for which every name has an address."""
    try:
        return _resolve(host, *arguments, **options)
    except socket.gaierror:
        return _resolve(NOBODY, *arguments, **options)


if __name__ == "__main__":
    socket.getaddrinfo = resolve
    runpy.run_path(sys.argv[1], run_name="__main__")
