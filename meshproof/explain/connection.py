"""Connections: what a proxy that receives a request knows of its peer."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from meshproof.explain.request import Request


@dataclass(frozen=True, slots=True)
class Peer:
    """``identity`` is the SPIFFE id of the client's certificate, empty for a plain connection."""

    identity: str = ""
    sni: str = ""
    source_ip: str = "127.0.0.1"
    """The address of the replica or gateway that calls; an app's own calls to its sidecar, and
    calls of a gateway from this machine, come from 127.0.0.1. Empty for a Unix socket."""
    local_ip: str = ""
    """With ``port``: the address that the connection is for."""
    port: int = 0
    tls: bool = False

    @property
    def destination(self) -> tuple[str, int] | None:
        """The address that the connection is for, if it is known."""
        return (self.local_ip, self.port) if self.port else None


@dataclass(frozen=True, slots=True)
class AuthzRequest:
    """What policies evaluate: the connection, the request (None on a TCP port), and the dynamic
    metadata of earlier filters."""

    peer: Peer
    request: Request | None = None
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)
    trusted_proxies: int = 0
    """Before a gateway (MeshConfig's numTrustedProxies)."""

    @property
    def remote_ip(self) -> str:
        """The last address of x-forwarded-for that no trusted proxy added, else the peer's."""
        forwarded_for = self.request.get("x-forwarded-for") if self.request else None
        addresses = [a.strip() for a in forwarded_for.split(",")] if forwarded_for else []
        if len(addresses) > self.trusted_proxies:
            return addresses[-1 - self.trusted_proxies]
        return self.peer.source_ip
