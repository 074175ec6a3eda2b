"""Virtual hosts: which one takes a request. Envoy prefers an exact domain, then the longest of
``*.suffix``, the longest of ``prefix.*``, and ``*``."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.explain.string_match import Json


@dataclass(frozen=True, slots=True)
class VirtualHostMatch:
    """A virtual host, and its domain that matched."""

    host: Json
    domain: str


def find_virtual_host(table: Json, authority: str) -> VirtualHostMatch | None:
    """None if no domain matches: 404 without a route."""
    name = authority.lower()
    if table.get("ignore_port_in_host_matching", False):
        name = without_port(name)
    best: tuple[int, int] = (0, 0)
    match: VirtualHostMatch | None = None
    for host in table.get("virtual_hosts", ()):
        for domain in host.get("domains", ()):
            rank = _rank(domain.lower(), name)
            if rank > best:
                best, match = rank, VirtualHostMatch(host, domain)
    return match


def without_port(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    return host if colon and port.isdigit() and not host.endswith(":") else authority


def _rank(domain: str, name: str) -> tuple[int, int]:
    """The rank of a match, kind before length; ``(0, 0)`` for none. A wildcard matches at least
    one character."""
    if domain == name:
        return (4, len(domain))
    if domain == "*":
        return (1, 0)
    if len(name) < len(domain):
        return (0, 0)
    if domain.startswith("*") and name.endswith(domain[1:]):
        return (3, len(domain))
    if domain.endswith("*") and name.startswith(domain[:-1]):
        return (2, len(domain))
    return (0, 0)


def domains_with_other_port(table: Json, authority: str) -> list[str]:
    """Domains that differ from an authority only in the port."""
    name = without_port(authority.lower())
    return [
        domain
        for host in table.get("virtual_hosts", ())
        for domain in host.get("domains", ())
        if without_port(domain.lower()) == name and ":" in domain
    ]
