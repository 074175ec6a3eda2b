"""Pod sandboxes: the namespaces that a replica's processes run in, with their name server.

Without them (``Sandboxes.enabled`` is false) every process runs in the host's own namespaces, and
apps find their sidecar by ``http_proxy``.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Collection, Sequence
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

from meshproof.embedded.pod_mode import VARIABLE, Mode
from meshproof.host import pods as host_pods
from meshproof.host import private_files, relay
from meshproof.host.dns_server import DnsServer, Names
from meshproof.host.netlink import Way
from meshproof.host.pod_support import PodsUnavailable
from meshproof.host.pods import Place
from meshproof.host.supervisor_client import SupervisorClient
from meshproof.model.capture import Capture
from meshproof.model.pod_network import BYPASS_PORT, DNS_PORT, OUTBOUND_PORT, Addresses
from meshproof.translate.world import Address

SocketFactory = Callable[[], socket.socket]
"""Makes a TCP socket that is not connected yet."""
_HOST_NAME_LIMIT = 63


def ways_of(capture: Capture) -> list[Way]:
    """Where a pod's connections go: to its sidecar, or past it."""
    return [
        (
            *(("", "") if rule.range.prefixlen == 0 else _ends(rule.range)),
            rule.port,
            OUTBOUND_PORT if rule.taken else BYPASS_PORT,
        )
        for rule in capture.outbound_rules()
    ]


def _ends(network: IPv4Network) -> tuple[str, str]:
    return str(network.network_address), str(network.broadcast_address)


class NoNames:
    """The names of a mesh that has none yet."""

    def lookup(self, _name: str) -> Sequence[str] | None:
        return None

    def services(self, _name: str) -> Sequence[tuple[int, str]]:
        return ()

    def canonical(self, _name: str) -> str:
        return ""


class Sandboxes:
    """Those of one mesh. Use it in the mesh's event loop."""

    def __init__(self, supervisor: SupervisorClient, folder: Path) -> None:
        self._pods = host_pods.Pods(supervisor)
        self._folder = folder
        self.names: Names = NoNames()
        """What the pods' name server answers from."""
        self._dns = DnsServer(lambda: self.names)
        self._shown: dict[Address, asyncio.Server] = {}
        self._offers: dict[str, list[asyncio.Server]] = {}
        self.addresses: Addresses | None = None
        """The addresses of Services and outside names; None where there are no pods."""

    @property
    def enabled(self) -> bool:
        return self.addresses is not None

    async def open(self, mode: Mode) -> str:
        """Why there are no pods though ``auto`` asked for them, else empty.

        Raises PodsUnavailable where ``on`` asked for them.
        """
        if mode == "off":
            return ""
        try:
            await self._pods.open()
        except PodsUnavailable as error:
            if mode == "on":
                raise PodsUnavailable(f"{VARIABLE}=on, but there can be no pods: {error}") from None
            return f"this machine allows no pods, so the mesh runs without (docs/pods.md): {error}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self.addresses = Addresses()
        return ""

    async def create(
        self, name: str, ip: str, host: str, namespace: str, *, aliases: str, capture: Capture
    ) -> None:
        """Create the sandbox of one replica, with its name server; ``aliases`` are further lines
        of its hosts file."""
        host = host[:_HOST_NAME_LIMIT]
        files = self._write_files(name, ip, host, namespace, aliases)
        await self._pods.add(name, ip, host, files, ways_of(capture))
        place = ("127.0.0.1", DNS_PORT)
        udp = self._pods.make_socket(name, "udp", bind=place)
        tcp = self._pods.make_socket(name, bind=place, backlog=64)
        await self._dns.serve(name, udp, tcp)

    def _write_files(
        self, name: str, ip: str, host: str, namespace: str, aliases: str
    ) -> dict[str, str]:
        """The files that the kubelet gives to every container, by their places in the pod."""
        folder = self._folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        cluster = "svc.cluster.local"
        texts = {
            "resolv.conf": f"search {namespace}.{cluster} {cluster} cluster.local\n"
            "nameserver 127.0.0.1\noptions ndots:5\n",
            "hosts": f"127.0.0.1\tlocalhost\n::1\tlocalhost\n{ip}\t{host}\n{aliases}",
            "hostname": f"{host}\n",
            # systemd-resolved and nscd would be asked past resolv.conf.
            "nsswitch.conf": _switch_hosts(_read("/etc/nsswitch.conf")),
        }
        for file, text in texts.items():
            path = folder / file
            private_files.write(path, text)
        places = {f"/etc/{file}": str(folder / file) for file in texts}
        return {**places, "/run/nscd": str(folder), "/var/run/nscd": str(folder)}

    def remove(self, name: str) -> None:
        """Its processes have ended."""
        if self.enabled:
            for server in self._offers.pop(name, ()):
                server.close()
            self._dns.forget(name)
            self._pods.remove(name)

    def close(self) -> None:
        """The mesh ends."""
        for server in (server for servers in self._offers.values() for server in servers):
            server.close()
        for ip in {address.ip for address in self._shown}:
            self.hide(ip)
        self._dns.close()

    async def offer(self, name: str, port: int, to: Address) -> None:
        """Make an address of this machine one of a pod's own localhost, at ``port``."""
        listener = self._pods.make_socket(name, bind=("127.0.0.1", port), backlog=64)
        connect = partial(asyncio.open_connection, to.ip, to.port)
        self._offers.setdefault(name, []).append(await relay.serve(listener, connect))

    async def show(self, address: Address) -> None:
        """Let the pods' sidecars reach an address of this machine, under the same address."""
        if address in self._shown:
            return
        place = (address.ip, address.port)
        listener = self._pods.make_socket(host_pods.MESH, bind=place, backlog=1024)
        to = partial(asyncio.open_connection, *place)
        self._shown[address] = await relay.serve(listener, to, keep_caller=True)

    def hide(self, ip: str) -> None:
        """The opposite, for every port of ``ip``."""
        for address in [a for a in self._shown if a.ip == ip]:
            self._shown.pop(address).close()

    def change_listeners(self, new: Collection[Place], old: Collection[Place]) -> None:
        """Listeners of sidecars in the mesh's network come and go."""
        self._pods.change_listeners(new, old)

    def socket_factory(self, name: str) -> SocketFactory | None:
        """Makes sockets in a replica's pod; None where it is in the host's own namespaces."""
        return partial(self._pods.make_socket, name) if self.enabled else None

    def make_socket(
        self, name: str, *, bind: tuple[str, int] | None = None, backlog: int | None = None
    ) -> socket.socket:
        """A TCP socket in a pod, or in the mesh's network where the name is empty."""
        return self._pods.make_socket(name, bind=bind, backlog=backlog)


def _switch_hosts(text: str) -> str:
    """``nsswitch.conf`` with host names from files and DNS alone."""
    lines = [line for line in text.splitlines() if line.split(":")[0].strip() != "hosts"]
    return "\n".join([*lines, "hosts: files dns", ""])


def _read(path: str) -> str:
    return Path(path).read_text() if os.path.exists(path) else ""  # noqa: PTH110
