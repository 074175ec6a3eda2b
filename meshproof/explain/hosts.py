"""Which virtual host takes a request: the longest of exact, ``*.suffix``, ``prefix.*``, ``*``."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.explain.string_match import Json


@dataclass(frozen=True, slots=True)
class Chosen:
    """A virtual host, and the domain of it by which it was found."""

    host: Json
    domain: str


def virtual_host(table: Json, authority: str) -> Chosen | None:
    """None where no domain fits: 404 without a route."""
    name = authority.lower()
    if table.get("ignore_port_in_host_matching", False):
        name = without_port(name)
    best: tuple[int, int] = (0, 0)
    found: Chosen | None = None
    for host in table.get("virtual_hosts", ()):
        for domain in host.get("domains", ()):
            rank = _rank(domain.lower(), name)
            if rank > best:
                best, found = rank, Chosen(host, domain)
    return found


def without_port(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    return host if colon and port.isdigit() and not host.endswith(":") else authority


def _rank(domain: str, name: str) -> tuple[int, int]:
    """How well a domain fits, kind before length; ``(0, 0)`` where it does not. A wildcard stands
    for at least one character."""
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


def near(table: Json, authority: str) -> list[str]:
    """Domains that differ from an authority in the port alone, as one would write them."""
    name = without_port(authority.lower())
    return [
        domain
        for host in table.get("virtual_hosts", ())
        for domain in host.get("domains", ())
        if without_port(domain.lower()) == name and ":" in domain
    ]
