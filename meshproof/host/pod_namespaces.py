"""The namespaces of one mesh and its pods, and how a process joins them before ``exec``.

Held by the supervisor as open files: no process has to stay for a pod to exist, and all of it ends
with the supervisor. Imports the standard library only.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from meshproof.host import namespaces as ns
from meshproof.host import netlink, pod_mounts, socket_helper
from meshproof.host.namespaces import step

_FREE_PREFIX = bytes((127, 0))
"""Connections to 127.0.0.0/16 stay as they are: a pod's own localhost."""
_TRIAL: list[netlink.Way] = [("127.250.1.0", "127.250.1.255", 1, 1), ("", "", 0, 1)]
"""Ways of every kind."""
_FIRST_PORT = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


@dataclass(frozen=True, slots=True)
class Pod:
    """Open files of its namespaces."""

    net: int
    mount: int
    uts: int

    def close(self) -> None:
        for handle in (self.net, self.mount, self.uts):
            os.close(handle)


class PodNamespaces:
    """``dns_port`` is where a pod's DNS queries go, and ``inbound_port`` connections to a pod's
    ports where its sidecar does not listen; ``mesh_handle`` is the number of the open file by which
    a sidecar knows the mesh's network.

    Raises StepFailed, with nothing left open, where this machine does not allow pods.
    """

    def __init__(self, *, dns_port: int, inbound_port: int, mesh_handle: int) -> None:
        self._dns_port, self._inbound_port = dns_port, inbound_port
        self._pods: dict[str, Pod] = {}
        self._user = _create_user_namespace()
        try:
            self.mesh_handle = self._create_mesh_network(mesh_handle)
            trial = self._create_pod("127.250.0.1", "pod", [], _TRIAL)  # tries every step
            trial.close()
        except BaseException:
            os.close(self._user)
            raise
        self._helper: socket.socket | None = None

    def _create_mesh_network(self, handle: int) -> int:
        """The namespace in which the sidecars of a mesh reach each other."""

        def prepare() -> None:
            self._enter_user()
            with step("network namespace"):
                ns.unshare(ns.NEW_NET)
            _open_network()
            with step("nat"):
                netlink.catch_unknown_ports(self._inbound_port)

        (created,) = ns.create(prepare, ("net",))
        os.dup2(created, handle, inheritable=False)
        os.close(created)
        return handle

    def _enter_user(self) -> None:
        with step("joining the user namespace"):
            ns.enter(self._user)

    # -- pods ----------------------------------------------------------------------------------

    def add(
        self, name: str, ip: str, hostname: str, files: list[list[str]], ways: list[netlink.Way]
    ) -> None:
        """Create a pod. ``files`` are pairs: a file, and where the pod's processes see it; one
        whose place does not exist on this machine is left out. ``ways`` are those of its
        connections. Raises StepFailed."""
        pod = self._create_pod(ip, hostname, files, ways)
        self.remove(name)
        self._pods[name] = pod
        if self._helper is not None:
            socket_helper.announce(self._helper, name, pod.net)

    def _create_pod(
        self, ip: str, hostname: str, files: list[list[str]], ways: list[netlink.Way]
    ) -> Pod:
        def prepare() -> None:
            self._enter_user()
            with step("network namespace"):
                ns.unshare(ns.NEW_NET)
            _open_network()
            self._capture(ip, ways)
            with step("host name"):
                ns.unshare(ns.NEW_UTS)
                ns.set_hostname(hostname)
            with step("mount namespace"):
                ns.unshare(ns.NEW_MOUNT)
                ns.make_mounts_private()
            with step("bind mount"):
                ns.bind_mount("/dev/null", "/dev/null")
                for source, target in files:
                    if os.path.exists(target):  # noqa: PTH110  (pathlib is slow to import)
                        ns.bind_mount(source, target)

        return Pod(*ns.create(prepare, ("net", "mnt", "uts")))

    def _capture(self, ip: str, ways: list[netlink.Way]) -> None:
        with step("address"):
            netlink.add_address(ip)
        with step("local route"):
            netlink.make_everything_local(ip)
        with step("nat"):
            netlink.capture(
                own_ip=ip,
                free_prefix=_FREE_PREFIX,
                dns_port=self._dns_port,
                ways=ways,
            )

    def remove(self, name: str) -> None:
        """Its namespaces end with its last process and socket."""
        if (pod := self._pods.pop(name, None)) is not None:
            pod.close()
            if self._helper is not None:
                socket_helper.announce(self._helper, name, None)

    # -- processes -----------------------------------------------------------------------------

    def start_helper(self, requests: socket.socket, bind_life: Callable[[], None]) -> None:
        """Fork the process that makes sockets in pods; ``requests`` is its end of a socket pair."""
        self._helper, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            try:
                ns.enter(self._user)
                bind_life()
                socket_helper.serve(requests, theirs, self.mesh_handle)
            finally:
                os._exit(0)
        theirs.close()
        requests.close()

    def join(self, command: dict[str, Any]) -> Callable[[], None]:
        """What a child does before ``exec`` so that its program runs in ``command["pod"]``.

        A sidecar has the pod's network, and the right to open sockets in the mesh's, and, if it is
        ``transparent``, to use any source address (IP_TRANSPARENT wants CAP_NET_RAW); any other
        process has the pod's whole view, and no right beyond a container's.
        """
        pod = self._pods.get(command["pod"])
        if pod is None:
            raise OSError(f"there is no pod {command['pod']}")
        if command["sidecar"]:
            extra = (ns.NET_RAW,) if command.get("transparent") else ()
            return lambda: self._join_as_sidecar(pod, extra)
        return lambda: self._join_as_container(pod, command)

    def _join_as_sidecar(self, pod: Pod, extra: tuple[int, ...]) -> None:
        ns.enter(self._user)
        ns.enter(pod.net)
        allowed = frozenset((ns.SYS_ADMIN, *extra))
        ns.reduce_capabilities(allowed, ambient=allowed)

    def _join_as_container(self, pod: Pod, command: dict[str, Any]) -> None:
        for handle in (self._user, pod.net, pod.uts, pod.mount):
            ns.enter(handle)
        # Entering a mount namespace has changed it, and a volume may hide it (an emptyDir at /tmp).
        folder = os.open(command["cwd"], os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        if command["mounts"] or command.get("read_only"):
            pod_mounts.mount_all(command["mounts"], command["staging"])
        if command.get("read_only"):
            pod_mounts.make_read_only([place for _, place in command["mounts"]])
        if os.path.isdir(command["cwd"]):  # noqa: PTH112  (pathlib is slow to import)
            os.chdir(command["cwd"])
        else:
            os.fchdir(folder)
        user, dropped = command.get("user"), frozenset(command.get("dropped", ()))
        if user is None:
            ns.reduce_capabilities(ns.CONTAINER - dropped)
            return
        # Whoever is not root loses all of them with the change.
        ns.reduce_capabilities(ns.CONTAINER - (dropped - ns.CHANGE_OF_USER))
        ns.become(user, command["group"], command["groups"])
        if user == 0:
            ns.reduce_capabilities(ns.CONTAINER - dropped)


def _create_user_namespace() -> int:
    def prepare() -> None:
        with step("user namespace"):
            ns.unshare(ns.NEW_USER)

    def complete(pid: int) -> None:
        with step("id map"):
            ns.map_ids(pid)

    (handle,) = ns.create(prepare, ("user",), complete)
    return handle


def _open_network() -> None:
    """Loopback is up, and every port is free to bind."""
    with step("loopback"):
        netlink.bring_up_loopback()
    with step("port range"), open(_FIRST_PORT, "w", encoding="ascii") as setting:  # noqa: PTH123
        setting.write("0")
