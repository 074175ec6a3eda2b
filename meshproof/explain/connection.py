"""Who asks: what a proxy that receives a request knows of the connection it came by."""

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
    """A replica's own address is its server's: what leaves on loopback comes from here."""
    local_ip: str = ""
    port: int = 0
    tls: bool = False


@dataclass(frozen=True, slots=True)
class AuthzRequest:
    """What policies look at: the connection, the request (None on a port of bytes), and what
    filters before left in the metadata."""

    peer: Peer
    request: Request | None = None
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def remote_ip(self) -> str:
        """The last address of x-forwarded-for, as no proxy before is trusted; else the peer's."""
        said = self.request.get("x-forwarded-for") if self.request else None
        return said.rpartition(",")[2].strip() if said else self.peer.source_ip
