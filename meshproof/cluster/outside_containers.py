"""The outside hosts of a kind cluster: containers beside its nodes, with names and addresses.

A container is on Docker's network ``kind``, where CoreDNS resolves its alias for pods (measured on
the tested kind), and, for each alias that is an IPv4 address, on a network of its own with that
address, which the nodes join. This machine reaches it by ports published on 127.0.0.1.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from meshproof.cluster import docker, node_network
from meshproof.cluster.assets import LABEL
from meshproof.cluster.commands import CommandError, Runner
from meshproof.cluster.outside_hosts import Host, HostTable
from meshproof.errors import MeshproofError
from meshproof.project import OutsideHost
from meshproof.wait import until

_SUBNET_IN_USE = "Pool overlaps"
"""In Docker's error where another network of the machine has the subnet."""


class OutsideContainers:
    """See ``outside_hosts.OutsideHosts``. ``declared`` is ``outside`` of the project file."""

    def __init__(self, runner: Runner, cluster: str, declared: Mapping[str, OutsideHost]) -> None:
        self._runner = runner
        self._cluster = cluster
        self._declared = declared
        self._hosts = HostTable()
        self._label = f"{LABEL}={cluster}"

    def start(self, images: Mapping[str, str], nodes: Sequence[str]) -> list[str]:
        """Starts what does not run yet. Returns a note for each address that is in use."""
        notes = []
        for host in self._hosts.fill(self._declared, images):
            self._run(host)
            for address in host.addresses:
                notes += self._assign_address(host, address, nodes)
            self._wait_ready(host)
        return notes

    def remove(self) -> None:
        """Containers, then networks, by their label; safe to repeat."""
        for name in docker.containers(self._runner, self._label):
            self._runner.run(("docker", "rm", "-f", name), f"removing container {name}")
        for network in docker.networks(self._runner, self._label):
            for description in docker.inspect_network(self._runner, network):
                for member in description["Containers"].values():
                    argv = ("docker", "network", "disconnect", "-f", network, member["Name"])
                    self._runner.run(argv, f"taking {member['Name']} off network {network}")
            self._runner.run(("docker", "network", "rm", network), f"removing network {network}")

    # -- OutsideHosts ----------------------------------------------------------------------------

    def __contains__(self, name: object) -> bool:
        return name in self._hosts

    def url(self, name: str) -> str:
        host = self._hosts[name]
        container, port = self._container(host), host.first_port
        for description in docker.inspect(self._runner, container):
            for binding in description["NetworkSettings"]["Ports"].get(f"{port}/tcp") or ():
                return f"http://127.0.0.1:{binding['HostPort']}"
        raise MeshproofError(f"container {container} publishes no port {port}")

    def logs(self, name: str) -> str:
        container = self._container(self._hosts[name])
        result = self._runner.run(("docker", "logs", container), f"reading the log of {container}")
        return result.text + result.errors

    def follow_command(self, name: str) -> tuple[str, ...]:
        return ("docker", "logs", "-f", self._container(self._hosts[name]))

    def fault(self, kind: str, name: str) -> None:
        host = self._hosts[name]
        if kind == "kill":
            self._docker("kill", host)
            self._docker("start", host)
            self._wait_ready(host)
        else:
            self._docker("pause" if kind == "pause" else "unpause", host)

    def addresses(self, name: str) -> list[str]:
        (description,) = docker.inspect(self._runner, self._container(self._hosts[name]))
        return node_network.addresses(description)

    # -- steps -----------------------------------------------------------------------------------

    def _container(self, host: Host) -> str:
        return f"{self._cluster}-{host.host}"

    def _docker(self, verb: str, host: Host) -> None:
        name = self._container(host)
        self._runner.run(("docker", verb, name), f"{verb} of {name}")

    def _run(self, host: Host) -> None:
        """Keeps a container of that image. Replaces one of another image, and one that a killed
        run left paused or cut off."""
        name = self._container(host)
        for description in docker.inspect(self._runner, name):
            if description["Config"]["Labels"].get(LABEL) != self._cluster:
                raise MeshproofError(
                    f"container {name} exists and was not made by meshproof; nothing was changed\n"
                    f"  remove it (`docker rm -f {name}`), or use another KIND_CLUSTER"
                )
            if _is_intact(description, host):
                return
            self._runner.run(("docker", "rm", "-f", name), f"removing the old {name}")
        self._runner.run(run_argv(name, self._label, host), f"starting {name}")

    def _assign_address(
        self, host: Host, address: ipaddress.IPv4Address, nodes: Sequence[str]
    ) -> list[str]:
        network = self._network(address)
        subnet = str(ipaddress.ip_network(f"{address}/24", strict=False))
        if not docker.inspect_network(self._runner, network):
            argv = ("docker", "network", "create", "--subnet", subnet, "--label", self._label)
            doing = f"creating network {network}"
            result = self._runner.run((*argv, network), doing, check=False)
            if result.code and _SUBNET_IN_USE in result.errors:
                return [
                    f"skipped: {host.host} at {address}, because another network of this machine "
                    f"has {subnet} (`docker network ls`); rules by that address prove nothing here"
                ]
            if result.code:
                raise CommandError(result, doing)
        members = {
            member["Name"]
            for description in docker.inspect_network(self._runner, network)
            for member in description["Containers"].values()
        }
        if self._container(host) not in members:
            self._connect(network, self._container(host), ["--ip", str(address)])
        for node in nodes:
            if node not in members:
                self._connect(network, node, [])
        return []

    def _network(self, address: ipaddress.IPv4Address) -> str:
        return f"{self._cluster}-{str(address).rpartition('.')[0].replace('.', '-')}"

    def _connect(self, network: str, container: str, flags: Sequence[str]) -> None:
        argv = ("docker", "network", "connect", *flags, network, container)
        self._runner.run(argv, f"connecting {container} to network {network}")

    def _wait_ready(self, host: Host) -> None:
        url = self.url(host.host)
        name = self._container(host)

        def reason() -> str:
            (description,) = docker.inspect(self._runner, name)
            if not description["State"]["Running"]:
                tail = "\n".join(self.logs(host.host).splitlines()[-5:])
                raise MeshproofError(f"container {name} has exited:\n{tail}")
            return self._runner.probe(url + (host.declared.ready or "/"))

        until(reason, f"waiting for {name} to answer at {url}", within=30)


def run_argv(container: str, label: str, host: Host) -> list[str]:
    """Publishes every port of the host on a free port of this machine's loopback."""
    env = [flag for k, v in host.environment.items() for flag in ("-e", f"{k}={v}")]
    ports = [flag for port in host.declared.ports for flag in ("-p", f"127.0.0.1::{port}")]
    aliases = [flag for name in host.dns_names for flag in ("--network-alias", name)]
    return [
        "docker", "run", "-d", "--name", container, "--label", label, "--network", "kind",
        *aliases, *env, *ports, host.image,
    ]  # fmt: skip


def _is_intact(description: Mapping[str, Any], host: Host) -> bool:
    state = description["State"]
    return (
        description["Config"]["Image"] == host.image
        and state["Running"]
        and not state["Paused"]
        and "kind" in description["NetworkSettings"]["Networks"]
    )
