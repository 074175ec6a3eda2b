"""The add-ons of ``manifests/observability``: applied by kubectl's own kustomize, reached by
port-forwards. No proof needs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from meshproof.cluster.assets import SYSTEM
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.pods import parse_pods
from meshproof.cluster.rollout import POLL, check_images
from meshproof.errors import UsageError
from meshproof.wait import until

_COPY = "COPY_TO"
"""The span store's variable: where it forwards the spans that it receives
(``assets/span_store.py``)."""
AVAILABLE = 300.0
"""Seconds for a Deployment to become available; its image may have to be pulled."""
_NO_IMAGE = "name one that the nodes have, or reach, by newName in its kustomization.yaml"
"""What to do about an image that cannot be pulled."""


class AddOns:
    """A folder with a kustomization whose resources are files in it."""

    def __init__(self, kubectl: Kubectl, folder: Path) -> None:
        """Raises UsageError where the folder has no kustomization."""
        file = folder / "kustomization.yaml"
        if not file.is_file():
            raise UsageError(f"{file}: no such file")
        self._kubectl = kubectl
        self._folder = folder
        kustomization = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.namespace = str(kustomization["namespace"])
        self._documents = list(_documents(folder, kustomization["resources"]))

    def apply(self) -> None:
        """Returns when all are available, and the sidecars' spans go to Zipkin too."""
        folder = str(self._folder)
        self._kubectl.run("apply", "-k", folder, doing="applying the add-ons", timeout=120)
        for name in self._names("Deployment"):
            self._wait_available(self.namespace, name)
        if "zipkin" in self._names("Service"):
            self._forward_spans(f"={self._zipkin()}/api/v2/spans")

    def delete(self) -> None:
        """Safe to repeat."""
        self._forward_spans("-")
        self._kubectl.run(
            "delete", "-k", str(self._folder), "--ignore-not-found",
            doing="deleting the add-ons", timeout=180,
        )  # fmt: skip

    def ports(self) -> dict[str, int]:
        """Service -> its first port."""
        return {
            str(d["metadata"]["name"]): int(d["spec"]["ports"][0]["port"])
            for d in self._documents
            if d["kind"] == "Service"
        }

    def _names(self, kind: str) -> list[str]:
        return [str(d["metadata"]["name"]) for d in self._documents if d["kind"] == kind]

    def _zipkin(self) -> str:
        return f"http://zipkin.{self.namespace}:{self.ports()['zipkin']}"

    def _forward_spans(self, value: str) -> None:
        """The store restarts, and loses the spans that it had."""
        self._kubectl.run(
            "-n", SYSTEM, "set", "env", "deploy/zipkin", f"{_COPY}{value}",
            doing="telling the span store whether to forward spans",
        )  # fmt: skip
        self._wait_available(SYSTEM, "zipkin")

    def _wait_available(self, namespace: str, name: str) -> None:
        """Raises NotLive, at once for an image that cannot be pulled."""
        title = f"Deployment {namespace}/{name}"

        def reason() -> str:
            result = self._kubectl.wait_rollout(namespace, name, within=POLL)
            if not result.code:
                return ""
            pods = self._kubectl.list("pods", namespace=namespace, doing=f"looking at {namespace}")
            check_images(title, name, parse_pods(pods), _NO_IMAGE)
            return (
                f"{title} is not available ({result.errors.strip()}); "
                f"`kubectl -n {namespace} describe pods` says why"
            )

        until(reason, f"waiting for {title}", within=AVAILABLE, every=0)


def _documents(folder: Path, files: list[str]) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from yaml.safe_load_all((folder / file).read_text(encoding="utf-8"))
