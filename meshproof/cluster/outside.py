"""The world outside the mesh, on kind: a container beside the nodes, with a name and an address.

It stands on Docker's network ``kind``, where CoreDNS resolves its alias for pods (measured on kind
0.30), and, for each alias that is an IPv4 address, on a network of its own with that address, which
the nodes join. From this machine it is reached by ports published on 127.0.0.1.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.cluster import docker
from meshproof.cluster.assets import LABEL
from meshproof.cluster.commands import CommandError, Runner
from meshproof.errors import MeshproofError, UsageError
from meshproof.project import OutsideHost
from meshproof.wait import until

_TAKEN = "Pool overlaps"
"""Docker's word for a subnet that another network of the machine has."""


@dataclass(frozen=True, slots=True)
class Host:
    """One outside host that runs as a container."""

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


class Outside:
    """All outside hosts of one kind cluster."""

    def __init__(self, runner: Runner, cluster: str, hosts: Sequence[Host]) -> None:
        self._runner = runner
        self._cluster = cluster
        self._hosts = {name: host for host in hosts for name in host.names}
        self.hosts = tuple(hosts)

    @property
    def label(self) -> str:
        return f"{LABEL}={self._cluster}"

    def container(self, host: Host) -> str:
        return f"{self._cluster}-{host.host}"

    def find(self, name: str) -> Host | None:
        return self._hosts.get(name)

    def ensure(self, nodes: Sequence[str]) -> list[str]:
        """Start what is not there yet. Returns a note for each address that cannot be had."""
        notes = []
        for host in self.hosts:
            self._run(host)
            for address in host.addresses:
                notes += self._address(host, address, nodes)
            self._wait(host)
        return notes

    def url(self, host: Host) -> str:
        """From this machine: the port published for the host's first one."""
        port = next(iter(host.declared.ports))
        for found in docker.inspect(self._runner, self.container(host)):
            for bound in found["NetworkSettings"]["Ports"].get(f"{port}/tcp") or ():
                return f"http://127.0.0.1:{bound['HostPort']}"
        raise MeshproofError(f"container {self.container(host)} publishes no port {port}")

    def logs(self, host: Host) -> str:
        name = self.container(host)
        said = self._runner.run(("docker", "logs", name), f"reading the log of {name}")
        return said.text + said.errors

    def follow(self, host: Host) -> tuple[str, ...]:
        """The command that follows its log."""
        return ("docker", "logs", "-f", self.container(host))

    def pause(self, host: Host, *, resume: bool = False) -> None:
        name, verb = self.container(host), "unpause" if resume else "pause"
        self._runner.run(("docker", verb, name), f"{verb} of {name}")

    def cut(self, host: Host, *, heal: bool = False) -> None:
        """Take the host off its networks, or put it back on them."""
        name = self.container(host)
        if heal:
            self._connect("kind", name, [w for n in host.dns_names for w in ("--alias", n)])
            for address in host.addresses:
                self._connect(self._network(address), name, ["--ip", str(address)])
            return
        for network in docker.inspect(self._runner, name)[0]["NetworkSettings"]["Networks"]:
            argv = ("docker", "network", "disconnect", network, name)
            self._runner.run(argv, f"taking {name} off network {network}")

    def remove(self) -> None:
        """Containers, then networks, by their label; safe to repeat."""
        for name in docker.containers(self._runner, self.label):
            self._runner.run(("docker", "rm", "-f", name), f"removing container {name}")
        for network in docker.networks(self._runner, self.label):
            for found in docker.inspect_network(self._runner, network):
                for member in found["Containers"].values():
                    argv = ("docker", "network", "disconnect", "-f", network, member["Name"])
                    self._runner.run(argv, f"taking {member['Name']} off network {network}")
            self._runner.run(("docker", "network", "rm", network), f"removing network {network}")

    def _run(self, host: Host) -> None:
        """A container of that image is kept; one of another, or that a killed run left paused or
        cut off, is replaced."""
        name = self.container(host)
        for found in docker.inspect(self._runner, name):
            if found["Config"]["Labels"].get(LABEL) != self._cluster:
                raise MeshproofError(
                    f"container {name} exists and was not made by meshproof; nothing was changed\n"
                    f"  remove it (`docker rm -f {name}`), or use another KIND_CLUSTER"
                )
            if _whole(found, host):
                return
            self._runner.run(("docker", "rm", "-f", name), f"removing the old {name}")
        self._runner.run(run_argv(name, self.label, host), f"starting {name}")

    def _address(
        self, host: Host, address: ipaddress.IPv4Address, nodes: Sequence[str]
    ) -> list[str]:
        network = self._network(address)
        subnet = str(ipaddress.ip_network(f"{address}/24", strict=False))
        if not docker.inspect_network(self._runner, network):
            argv = ("docker", "network", "create", "--subnet", subnet, "--label", self.label)
            doing = f"making network {network}"
            made = self._runner.run((*argv, network), doing, check=False)
            if made.code and _TAKEN in made.errors:
                return [
                    f"skipped: {host.host} at {address}, because another network of this machine "
                    f"has {subnet} (`docker network ls`); rules by that address prove nothing here"
                ]
            if made.code:
                raise CommandError(made, doing)
        joined = {
            member["Name"]
            for found in docker.inspect_network(self._runner, network)
            for member in found["Containers"].values()
        }
        if self.container(host) not in joined:
            self._connect(network, self.container(host), ["--ip", str(address)])
        for node in nodes:
            if node not in joined:
                self._connect(network, node, [])
        return []

    def _network(self, address: ipaddress.IPv4Address) -> str:
        return f"{self._cluster}-{str(address).rpartition('.')[0].replace('.', '-')}"

    def _connect(self, network: str, container: str, flags: Sequence[str]) -> None:
        argv = ("docker", "network", "connect", *flags, network, container)
        self._runner.run(argv, f"joining {container} to network {network}")

    def _wait(self, host: Host) -> None:
        url = self.url(host)
        name = self.container(host)

        def reason() -> str:
            (found,) = docker.inspect(self._runner, name)
            if not found["State"]["Running"]:
                last = "\n".join(self.logs(host).splitlines()[-5:])
                raise MeshproofError(f"container {name} has ended:\n{last}")
            return self._runner.answers(url + (host.declared.ready or "/"))

        until(reason, f"waiting for {name} to answer at {url}", within=30)


def run_argv(container: str, label: str, host: Host) -> list[str]:
    """Every port of the host, published on a free port of this machine's loopback."""
    assert host.declared.container is not None
    env = [word for k, v in host.declared.container.env.items() for word in ("-e", f"{k}={v}")]
    ports = [word for port in host.declared.ports for word in ("-p", f"127.0.0.1::{port}")]
    aliases = [word for name in host.dns_names for word in ("--network-alias", name)]
    return [
        "docker", "run", "-d", "--name", container, "--label", label, "--network", "kind",
        *aliases, *env, *ports, host.image,
    ]  # fmt: skip


def hosts(declared: Mapping[str, OutsideHost], images: Mapping[str, str]) -> list[Host]:
    """The outside hosts with an image. Raises UsageError for a host that has none."""
    found = []
    for name, host in declared.items():
        if host.container is None:
            raise UsageError(
                f"outside host {name} has no container: on a cluster it must run somewhere; give "
                "it `container: {build: {context: ...}}` in meshproof.yaml"
            )
        found.append(Host(name, host, images[name]))
    return found


def _whole(found: Mapping[str, Any], host: Host) -> bool:
    state = found["State"]
    return (
        found["Config"]["Image"] == host.image
        and state["Running"]
        and not state["Paused"]
        and "kind" in found["NetworkSettings"]["Networks"]
    )


def _address(name: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(name)
    except ValueError:
        return None
