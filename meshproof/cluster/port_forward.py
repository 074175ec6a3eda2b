"""``kubectl port-forward``: a way to one pod, to look at it and not to load it."""

from __future__ import annotations

import socket
from collections.abc import Callable

from meshproof.cluster.commands import Background
from meshproof.cluster.kubectl import Kubectl
from meshproof.errors import MeshproofError
from meshproof.wait import until


class Forwards:
    """Each target's forward is started once, and anew when it has ended."""

    def __init__(self, kubectl: Callable[[], Kubectl]) -> None:
        self._kubectl = kubectl
        self._running: dict[str, tuple[Background, str]] = {}

    def url(self, namespace: str, target: str, port: int) -> str:
        """``http://127.0.0.1:PORT`` of ``pod/NAME`` or ``deploy/NAME``, answering."""
        key = f"{namespace} {target} {port}"
        running = self._running.get(key)
        if running is not None and running[0].poll() is None:
            return running[1]
        kubectl = self._kubectl()
        local = _free_port()
        argv = [
            "kubectl", *kubectl.access, "-n", namespace, "port-forward",
            "--address", "127.0.0.1", target, f"{local}:{port}",
        ]  # fmt: skip
        process = kubectl.runner.start(argv, f"forwarding a port to {target}")
        url = f"http://127.0.0.1:{local}"
        self._running[key] = (process, url)

        def reason() -> str:
            if (code := process.poll()) is not None:
                raise MeshproofError(f"the port-forward to {target} ended with exit code {code}")
            return kubectl.runner.answers(url)

        until(reason, f"waiting for {target} to answer at {url}", within=30)
        return url

    def close(self) -> None:
        while self._running:
            _key, (process, _url) = self._running.popitem()
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
