"""Names and connections as a pod's programs have them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from meshproof.errors import MeshproofError
from meshproof.host.dns_server import Names


class UnknownName(MeshproofError):
    """The name server of a pod would say NXDOMAIN."""


_DOTS = 5
"""A name with fewer dots is first searched for, as resolv.conf's ndots says."""


def resolve(names: Names, namespace: str, host: str) -> str:
    """An address of a host for a pod of a namespace. Raises UnknownName."""
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        pass
    else:
        return host
    for name in _candidates(host.lower(), namespace):
        target = names.canonical(name) or name
        if addresses := names.lookup(target):
            return addresses[0]
    raise UnknownName(
        f"{host} has no address in the pods of {namespace}: declare the host, or name a Service"
    )


def _candidates(host: str, namespace: str) -> Iterator[str]:
    absolute = host.rstrip(".")
    if host.endswith("."):
        yield absolute
        return
    zones = (f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local")
    first = absolute.count(".") >= _DOTS
    if first:
        yield absolute
    yield from (f"{absolute}.{zone}" for zone in zones)
    if not first:
        yield absolute
