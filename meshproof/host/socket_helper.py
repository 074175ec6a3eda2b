"""The helper process that makes sockets in the mesh's network and in pods, and passes them on.

A socket belongs to the network namespace that it was made in for its whole life, so the mesh
process, which stays in the host's, can connect, accept and send in a pod by a socket that the
helper has made there. Runs in a fork of the supervisor; imports the standard library only.

A request is JSON: ``pod`` (empty for the mesh's network), ``kind`` (``tcp`` or ``udp``), ``bind``
([ip, port] or null), ``backlog`` (to listen, or null). The answer is JSON with ``error``, and the
socket. Or ``new`` and ``old``: listeners of the mesh's network, as [ip, port] (``netlink``); then
the answer is without a socket.
"""

from __future__ import annotations

import json
import os
import selectors
import socket

from meshproof.host import namespaces, netlink

_SIZE = 65536


def announce(supervisor: socket.socket, pod: str, net: int | None) -> None:
    """Tell the helper of a pod's network namespace, or, by None, that the pod has ended."""
    handles = [] if net is None else [net]
    try:
        socket.send_fds(supervisor, [json.dumps({"pod": pod}).encode()], handles)
    except OSError:  # it has ended: whoever asks it for a socket will see that
        return


class _Helper:
    def __init__(self, requests: socket.socket, pods: socket.socket, mesh: int) -> None:
        self._requests, self._pods = requests, pods
        self._networks = {"": mesh}

    def run(self) -> None:
        """Until either end closes its socket."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._requests, selectors.EVENT_READ)
            selector.register(self._pods, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                # A request may be for a pod that has only just been announced.
                if self._pods in ready and not self._take_announcement():
                    return
                if self._requests in ready and not self._answer():
                    return

    def _take_announcement(self) -> bool:
        data, handles, _, _ = socket.recv_fds(self._pods, _SIZE, 1)
        if not data:
            return False
        pod = json.loads(data)["pod"]
        if (previous := self._networks.pop(pod, None)) is not None:
            os.close(previous)
        if handles:
            self._networks[pod] = handles[0]
        return True

    def _drain_announcements(self) -> None:
        self._pods.setblocking(False)
        try:
            while self._take_announcement():
                pass
        except BlockingIOError:
            pass
        finally:
            self._pods.setblocking(True)

    def _answer(self) -> bool:
        data = self._requests.recv(_SIZE)
        if not data:
            return False
        self._drain_announcements()
        request = json.loads(data)
        try:
            if "new" in request:
                self._change_listeners(request)
                self._requests.send(b'{"error": ""}')
                return True
            result = self._make_socket(request)
        except (OSError, KeyError) as error:
            reason = f"no pod {error}" if isinstance(error, KeyError) else error.strerror
            answer = {"error": reason, "errno": getattr(error, "errno", 0)}
            self._requests.send(json.dumps(answer).encode())
            return True
        with result:
            socket.send_fds(self._requests, [b'{"error": ""}'], [result.fileno()])
        return True

    def _change_listeners(self, request: dict) -> None:  # type: ignore[type-arg]  # plain JSON
        namespaces.enter(self._networks[""])
        rows = ([(ip, port) for ip, port in request[name]] for name in ("new", "old"))
        netlink.change_listeners(*rows)

    def _make_socket(self, request: dict) -> socket.socket:  # type: ignore[type-arg]  # plain JSON
        namespaces.enter(self._networks[request["pod"]])
        tcp = request["kind"] == "tcp"
        result = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        try:
            if request["bind"]:
                if tcp:
                    result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                result.bind(tuple(request["bind"]))
            if request["backlog"] is not None:
                result.listen(request["backlog"])
        except BaseException:
            result.close()
            raise
        return result


def serve(requests: socket.socket, pods: socket.socket, mesh: int) -> None:
    """Answer requests in this process, which has entered the mesh's user namespace. Every other
    open file is closed: the supervisor's own socket must not be held open here."""
    kept = sorted({requests.fileno(), pods.fileno(), mesh, 2})
    low = 0
    for handle in kept:
        os.closerange(low, handle)
        low = handle + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))
    _Helper(requests, pods, mesh).run()
