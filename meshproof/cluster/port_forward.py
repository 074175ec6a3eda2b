"""``kubectl port-forward``: a connection to one pod, to inspect it and not to load it."""

from __future__ import annotations

import socket

from meshproof.cluster.commands import Background
from meshproof.cluster.kubectl import Kubectl
from meshproof.errors import MeshproofError
from meshproof.wait import until


class PortForwards:
    """Each target's forward is started once, and again when it has ended."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._running: dict[str, tuple[Background, str]] = {}

    def url(self, namespace: str, target: str, port: int) -> str:
        """``http://127.0.0.1:PORT`` of ``pod/NAME``, ``deploy/NAME`` or ``svc/NAME``, once it
        answers."""
        key = f"{namespace} {target} {port}"
        running = self._running.get(key)
        if running is not None and running[0].poll() is None:
            return running[1]
        runner = self._kubectl.runner
        local = _free_port()
        argv = [
            "kubectl", *self._kubectl.access, "-n", namespace, "port-forward",
            "--address", "127.0.0.1", target, f"{local}:{port}",
        ]  # fmt: skip
        process = runner.start(argv, f"forwarding a port to {target}")
        url = f"http://127.0.0.1:{local}"
        self._running[key] = (process, url)

        def reason() -> str:
            if (code := process.poll()) is not None:
                raise MeshproofError(f"the port-forward to {target} ended with exit code {code}")
            return runner.probe(url)

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
