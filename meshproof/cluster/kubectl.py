"""kubectl on one cluster: JSON in, JSON out.

What is asked often goes over held connections where there are any (``connections``), and else by
the command that a user would type: in ``meshproof plan`` and in tests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from meshproof.cluster.commands import Result, Runner
from meshproof.cluster.connections import Connections
from meshproof.cluster.pod_logs import PodLogs

Json = dict[str, Any]
_PATHS = {
    "pods": "/api/v1",
    "services": "/api/v1",
    "events": "/api/v1",
    "deployments": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
}
"""Kind, as kubectl names it -> its group and version in the API server's paths."""


class Kubectl:
    """``access`` is ``--kubeconfig FILE`` or ``--context NAME``; istioctl takes the same."""

    def __init__(self, runner: Runner, access: Sequence[str]) -> None:
        self.runner = runner
        self.access = tuple(access)
        self._connections: Connections | None = None
        self._logs: PodLogs | None = None

    def connect(self, folder: Path) -> None:
        """From now on connections are held, if the runner makes any, until ``disconnect``.
        ``folder`` does not exist yet."""
        self.disconnect()
        self._connections = self.runner.connect(self.access, folder)
        self._logs = PodLogs(self._connections.api) if self._connections else None

    def disconnect(self) -> None:
        """Safe to repeat."""
        if self._connections is not None:
            self._connections.close()
        self._connections = self._logs = None

    def run(
        self,
        *args: str,
        doing: str,
        stdin: bytes = b"",
        timeout: float = 60.0,
        check: bool = True,
    ) -> Result:
        argv = ("kubectl", *self.access, *args)
        return self.runner.run(argv, doing, stdin=stdin, timeout=timeout, check=check)

    def get(self, *args: str, doing: str) -> list[Json]:
        """The objects of ``kubectl get ... -o json``."""
        output = self.run("get", *args, "-o", "json", doing=doing).text
        parsed = json.loads(output) if output.strip() else {}
        items: list[Json] = parsed.get("items", [parsed] if parsed else [])
        return items

    def list(self, *kinds: str, namespace: str, doing: str, labels: str = "") -> list[Json]:
        """The objects of these kinds (``_PATHS``) in a namespace; those with ``labels``
        (``app=load,run=r1``) where some are given."""
        if self._connections is None:
            selector = ["-l", labels] if labels else []
            return self.get(",".join(kinds), "-n", namespace, *selector, doing=doing)
        query = f"?labelSelector={quote(labels)}" if labels else ""
        items: list[Json] = []
        for kind in kinds:
            path = f"{_PATHS[kind]}/namespaces/{namespace}/{kind}{query}"
            listed = json.loads(self._connections.api(path))
            of_kind = {
                "apiVersion": listed["apiVersion"], "kind": listed["kind"].removesuffix("List")
            }  # fmt: skip
            items += [{**of_kind, **item} for item in listed["items"]]
        return items

    def raw(self, path: str, *, doing: str) -> Any:
        """The JSON at one path of the API server."""
        if self._connections is not None:
            return json.loads(self._connections.api(path))
        return json.loads(self.run("get", "--raw", path, doing=doing).text)

    def apply(self, text: str, *, doing: str, dry_run: bool = False) -> None:
        """Create or replace. kubectl applies the good documents before a bad one, so callers use
        ``dry_run`` first."""
        flags = ["--dry-run=server"] if dry_run else []
        self.run("apply", *flags, "-f", "-", doing=doing, stdin=text.encode())

    def delete(self, text: str, *, doing: str) -> None:
        self.run(
            "delete", "--ignore-not-found", "-f", "-", doing=doing, stdin=text.encode(), timeout=120
        )

    def wait_rollout(
        self, namespace: str, name: str, *, kind: str = "Deployment", within: float = 120.0
    ) -> Result:
        """kubectl watches; the exit code says whether the rollout is complete."""
        resource = "deploy" if kind == "Deployment" else kind.lower()
        return self.run(
            "-n", namespace, "rollout", "status", f"{resource}/{name}", f"--timeout={within:g}s",
            doing=f"waiting for {kind} {namespace}/{name}", timeout=within + 30,
            check=False,
        )  # fmt: skip

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        argv: Sequence[str],
        *,
        doing: str,
        stdin: bytes = b"",
        timeout: float = 60.0,
        check: bool = True,
    ) -> Result:
        """Returns the command's own exit code."""
        interactive = ["-i"] if stdin else []
        return self.run(
            "-n", namespace, "exec", *interactive, pod, "-c", container, "--", *argv,
            doing=doing, stdin=stdin, timeout=timeout, check=check,
        )  # fmt: skip

    def ask(
        self,
        namespace: str,
        pod: str,
        container: str,
        script: str,
        request: Mapping[str, Any],
        *,
        doing: str,
        timeout: float,
    ) -> bytes:
        """The line that Python's ``script`` prints in a container for a line with a request."""
        if self._connections is not None:
            return self._connections.dialogs.ask(
                namespace, pod, container, script, request, timeout=timeout
            )
        return self.exec(
            namespace, pod, container, ["python3", "-c", script],
            doing=doing, timeout=timeout, stdin=json.dumps(request).encode() + b"\n",
        ).stdout  # fmt: skip

    def admin(self, namespace: str, pod: str, path: str, *, method: str = "GET") -> str:
        """The response of a sidecar's Envoy admin interface."""
        if self._connections is not None:
            return self._connections.admin(namespace, pod, path, method=method)
        argv = ["pilot-agent", "request", method, path]
        doing = f"asking the sidecar of {namespace}/{pod}"
        return self.exec(namespace, pod, "istio-proxy", argv, doing=doing).text

    def log(self, namespace: str, pod: str, container: str, *, doing: str) -> str:
        """The whole log of a container."""
        if self._logs is not None:
            return self._logs.read(namespace, pod, container)
        return self.run(
            "-n", namespace, "logs", pod, "-c", container, doing=doing, timeout=120
        ).text


def with_kubeconfig(runner: Runner, file: Path) -> Kubectl:
    return Kubectl(runner, ("--kubeconfig", str(file)))


def with_context(runner: Runner, context: str) -> Kubectl:
    return Kubectl(runner, ("--context", context))


def labels_of(item: Mapping[str, Any]) -> Mapping[str, str]:
    labels: Mapping[str, str] = item.get("metadata", {}).get("labels") or {}
    return labels
