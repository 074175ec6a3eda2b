"""Upstream hosts in access logs: the Unix sockets of pods as the addresses that they stand for."""

from __future__ import annotations

import re
from dataclasses import replace

from meshproof.embedded.engine import Engine
from meshproof.mesh import AccessRecord

_SOCKET = re.compile(r"(?P<kind>[io])(?P<number>\d+):(?P<port>\d+)")


def resolve(engine: Engine, record: AccessRecord) -> AccessRecord:
    """The gateway reaches a pod by a socket, and a pod an outside host: the record then has the
    pod's or the host's own address, as it would have it without pods."""
    folder = f"{engine.context.paths.sockets}/"
    host = record.upstream_host
    match = _SOCKET.fullmatch(host.removeprefix(folder)) if host.startswith(folder) else None
    if match is None:
        return record
    return replace(record, upstream_host=_address(engine, match))


def _address(engine: Engine, match: re.Match[str]) -> str:
    number, port = int(match["number"]), int(match["port"])
    if match["kind"] == "i":
        return f"{engine.context.block.sidecar(number)}:{port}"
    address = engine.outside[number].addresses[port]
    return f"{address.ip}:{address.port}"
