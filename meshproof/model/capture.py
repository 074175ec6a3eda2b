"""What of a pod's connections its sidecar takes: the annotations ``traffic.sidecar.istio.io/...``.

Istio: tools/istio-iptables (the order of the rules) and pkg/kube/inject (what a value may be).
IPv6 goes nowhere in a pod, so ranges of it match nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

PREFIX = "traffic.sidecar.istio.io/"
_EVERY = "*"
_ALL = IPv4Network("0.0.0.0/0")
Ports = tuple[int, ...]
Ranges = tuple[IPv4Network, ...]


@dataclass(frozen=True, slots=True)
class OutboundRule:
    """Of the rules for a connection the first that matches decides. ``port`` 0 is every port."""

    range: IPv4Network
    port: int
    taken: bool
    """By the sidecar; else the connection goes straight to where it is for."""

    def matches(self, ip: str, port: int) -> bool:
        return self.port in (0, port) and IPv4Address(ip) in self.range


@dataclass(frozen=True, slots=True)
class Capture:
    """None for what is included is everything."""

    included_ranges: Ranges | None = None
    excluded_ranges: Ranges = ()
    included_ports: Ports = ()
    excluded_ports: Ports = ()
    inbound_ports: Ports | None = None
    excluded_inbound_ports: Ports = ()

    def outbound_rules(self) -> Iterator[OutboundRule]:
        """In their order; the last one matches every connection."""
        for port in self.excluded_ports:
            yield OutboundRule(_ALL, port, taken=False)
        for network in self.excluded_ranges:
            yield OutboundRule(network, 0, taken=False)
        for port in self.included_ports:
            yield OutboundRule(_ALL, port, taken=True)
        for network in self.included_ranges or ():
            yield OutboundRule(network, 0, taken=True)
        yield OutboundRule(_ALL, 0, taken=self.included_ranges is None)

    def takes_outbound(self, ip: str, port: int) -> bool:
        return next(rule.taken for rule in self.outbound_rules() if rule.matches(ip, port))

    @property
    def takes_all_outbound(self) -> bool:
        return all(rule.taken for rule in self.outbound_rules())

    def takes_inbound(self, port: int) -> bool:
        """Of a list of included ports, no exclusion is asked, as in Istio."""
        if self.inbound_ports is not None:
            return port in self.inbound_ports
        return port not in self.excluded_inbound_ports

    @property
    def takes_all_inbound(self) -> bool:
        return self.inbound_ports is None and not self.excluded_inbound_ports


EVERYTHING = Capture()


def read_capture(annotations: Mapping[str, str]) -> Capture:
    """Of a pod with these annotations, whose values are valid (``is_valid``)."""

    def text(name: str, default: str = "") -> str:
        return annotations.get(PREFIX + name, default)

    ranges, inbound = text("includeOutboundIPRanges", _EVERY), text("includeInboundPorts", _EVERY)
    return Capture(
        included_ranges=None if _EVERY in ranges.split(",") else read_ranges(ranges),
        excluded_ranges=read_ranges(text("excludeOutboundIPRanges")),
        included_ports=read_ports(text("includeOutboundPorts")),
        excluded_ports=read_ports(text("excludeOutboundPorts")),
        inbound_ports=None if inbound == _EVERY else read_ports(inbound),
        excluded_inbound_ports=read_ports(text("excludeInboundPorts")),
    )


def read_ports(text: str) -> Ports:
    """Raises ValueError for what is no list of ports."""
    ports = tuple(int(part) for part in text.split(",") if part)
    if not all(0 <= port <= 65535 for port in ports):
        raise ValueError(text)
    return ports


def read_ranges(text: str) -> Ranges:
    """Raises ValueError for what is no list of CIDR ranges."""
    rows = [part for part in text.split(",") if part]
    if not all("/" in row for row in rows):
        raise ValueError(text)
    networks = [ipaddress.ip_network(row, strict=False) for row in rows]
    return tuple(n for n in networks if isinstance(n, IPv4Network))


def is_ports(text: str) -> bool:
    return _is_valid(read_ports, text)


def is_ports_or_all(text: str) -> bool:
    return text == _EVERY or is_ports(text)


def is_ranges(text: str) -> bool:
    return _is_valid(read_ranges, text)


def is_ranges_or_all(text: str) -> bool:
    return text == _EVERY or is_ranges(text)


def _is_valid(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
