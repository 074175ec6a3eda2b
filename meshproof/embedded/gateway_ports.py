"""The ports of a gateway: those that its servers declare, and the numbers that they have here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshproof.embedded.pod.envoy_process import FIXED_PORTS
from meshproof.host.addresses import preferred_port, real_port


class GatewayPorts:
    """Of the gateway at the address ``ip`` of this machine. A port keeps its number while it is
    declared, whatever other rules do."""

    def __init__(self, ip: str) -> None:
        self._ip = ip
        self._numbers: dict[int, int] = {}

    def bind(self, declared: Iterable[int]) -> Mapping[int, int]:
        """The number of each declared port: the same, unless that is privileged or taken, by
        another server too."""
        wanted = frozenset(declared)
        for port in sorted(wanted - self._numbers.keys(), key=self._is_moved):
            in_use = (self._numbers[p] for p in wanted & self._numbers.keys())
            number = real_port(self._ip, port, (*FIXED_PORTS, *in_use))
            # A port that is declared no more may have had it.
            self._numbers = {p: n for p, n in self._numbers.items() if n != number}
            self._numbers[port] = number
        return {port: self._numbers[port] for port in sorted(wanted)}

    def _is_moved(self, port: int) -> tuple[bool, int]:
        return (real_port(self._ip, port) != port, port)

    def settle(self, declared: Iterable[int]) -> None:
        """What is declared is live. Of all other ports only the usual number is remembered: one
        that had to give way to another server need not do so the next time."""
        wanted = frozenset(declared)
        self._numbers = {
            p: n for p, n in self._numbers.items() if p in wanted or n == preferred_port(p)
        }

    def numbers(self) -> list[int]:
        """All that may be in use."""
        return list(self._numbers.values())
