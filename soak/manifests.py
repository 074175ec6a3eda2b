"""The YAML that a soak applies: the repository's own rules and manifests, with retries that are
safe, because a message keeps its id however often it is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments, documents

EGRESS = EGRESS_BY_ADDRESS["v1"]
RETRIES = {
    "attempts": 4,
    "perTryTimeout": "1s",
    "retryOn": "connect-failure,refused-stream,reset,gateway-error",
}
TIMEOUT = 4.5
"""Seconds; svca waits 5."""
SAMPLING = """
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: soak, namespace: istio-system}
spec:
  tracing: [{randomSamplingPercentage: 1}]
"""
"""So that the mesh's memory is its own, not that of all the spans of a long run."""


def rule(stem: str, timeout: float = TIMEOUT) -> str:
    """A file of rules/, each of its routes with retries and a timeout in seconds."""

    def retried(document: dict[str, Any]) -> None:
        if document["kind"] == "VirtualService":
            for http in document["spec"]["http"]:
                http.update(retries=dict(RETRIES), timeout=f"{timeout:g}s")

    return _changed(documents(RULES / f"{stem}.yaml"), retried)


def suite(app: str, colour: str, replicas: int) -> str:
    """An app's Deployments in one more generation: same code, another variable."""

    def sized(document: dict[str, Any]) -> None:
        document["spec"]["replicas"] = replicas

    return _changed(list(yaml.safe_load_all(deployments(app, {"COLOUR": colour}))), sized)


def _changed(documents: list[dict[str, Any]], change: Callable[[dict[str, Any]], None]) -> str:
    for document in documents:
        change(document)
    return yaml.safe_dump_all(documents, sort_keys=False)
