"""Hosts outside the mesh that run for a cluster, by name: what every provider's hosts share."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from meshproof.cluster.images import outside_image
from meshproof.errors import UsageError
from meshproof.project import OutsideHost
from meshproof.project_path import PROJECT_FILE


@dataclass(frozen=True, slots=True)
class Host:
    """One outside host that runs as a container or a pod."""

    host: str
    declared: OutsideHost
    image: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.host, *self.declared.aliases)

    @property
    def addresses(self) -> list[ipaddress.IPv4Address]:
        return [a for name in self.names if (a := _address(name)) is not None]

    @property
    def dns_names(self) -> list[str]:
        return [name for name in self.names if _address(name) is None]

    @property
    def first_port(self) -> int:
        return next(iter(self.declared.ports))

    @property
    def environment(self) -> Mapping[str, str]:
        return self.declared.container.env if self.declared.container else {}


class OutsideHosts(Protocol):
    """The outside hosts that run now. A name is the host's own or one of its aliases.

    All but ``__contains__`` raise UsageError for a name that none has.
    """

    def __contains__(self, name: object) -> bool: ...

    def url(self, name: str) -> str:
        """``http://ip:port`` of the host's first port, as this machine reaches it."""
        ...

    def logs(self, name: str) -> str: ...

    def follow_command(self, name: str) -> tuple[str, ...]:
        """The command that follows the host's log."""
        ...

    def fault(self, kind: str, name: str) -> None:
        """``kill`` (it starts again), ``pause``, ``resume``. Raises Unsupported."""
        ...

    def addresses(self, name: str) -> list[str]:
        """Its IPs, as the nodes reach it. Raises Unsupported."""
        ...


class HostTable:
    """Hosts by each of their names; empty until ``start`` of the provider's hosts fills it."""

    def __init__(self) -> None:
        self._by_name: dict[str, Host] = {}

    def fill(
        self, declared: Mapping[str, OutsideHost], images: Mapping[str, str]
    ) -> tuple[Host, ...]:
        """``images`` maps the names of images to their tags. Raises UsageError for a host that
        has no container."""
        hosts = tuple(_host(name, host, images) for name, host in declared.items())
        self._by_name = {name: host for host in hosts for name in host.names}
        return hosts

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Host:
        try:
            return self._by_name[name]
        except KeyError:
            raise UsageError(f"{name} is not an outside host") from None


def _host(name: str, declared: OutsideHost, images: Mapping[str, str]) -> Host:
    if declared.container is None:
        raise UsageError(
            f"outside host {name} has no container: on a cluster it must run somewhere; give "
            f"it `container: {{build: {{context: ...}}}}` in {PROJECT_FILE}"
        )
    return Host(name, declared, images.get(outside_image(name), ""))


def _address(name: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(name)
    except ValueError:
        return None
