"""Pods, parsed from kubectl's JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from meshproof.cluster.kubectl import Json, labels_of

PROXY = "istio-proxy"


@dataclass(frozen=True, slots=True)
class Pod:
    """``container`` is the app's: the first that is not a sidecar."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    address: str
    container: str
    meshed: bool
    """It has a sidecar (a native one is an init container), or is a gateway."""
    running: bool
    ready: bool
    ending: bool
    restarts: int
    reason: str
    """Why it is not ready."""
    failed: bool = False
    """It ended with another exit code than 0, as a Job's pod may."""
    node: str = ""
    service_account: str = "default"
    containers: Mapping[str, str] = field(default_factory=dict)
    """Name of each container, init containers too -> its id in the node's containerd."""

    @property
    def gateway(self) -> bool:
        return self.labels.get("istio") == "ingressgateway"

    @property
    def alive(self) -> bool:
        """It can answer."""
        return self.running and not self.ending


def parse_pods(items: Iterable[Json]) -> list[Pod]:
    """Sorted by namespace and name."""
    return sorted(map(_parse_pod, items), key=lambda p: (p.namespace, p.name))


def select_pods(pods: Iterable[Pod], workload: Json) -> list[Pod]:
    """The pods that a Deployment, StatefulSet or DaemonSet selects."""
    selector = workload["spec"]["selector"]["matchLabels"].items()
    namespace = workload["metadata"]["namespace"]
    return [p for p in pods if p.namespace == namespace and selector <= p.labels.items()]


def _parse_pod(item: Json) -> Pod:
    spec, status = item["spec"], item.get("status", {})
    names = [c["name"] for c in spec["containers"]]
    native = [c["name"] for c in spec.get("initContainers", ())]
    states = [*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ())]
    conditions = {c["type"]: c for c in status.get("conditions", ())}
    ready = conditions.get("Ready", {}).get("status") == "True"
    return Pod(
        name=item["metadata"]["name"],
        namespace=item["metadata"]["namespace"],
        labels=dict(labels_of(item)),
        address=status.get("podIP", ""),
        container=next((n for n in names if n != PROXY), names[0]),
        meshed=PROXY in names or PROXY in native,
        running=status.get("phase") == "Running",
        ready=ready,
        ending="deletionTimestamp" in item["metadata"],
        restarts=sum(s.get("restartCount", 0) for s in states),
        reason="" if ready else _reason(status, states, conditions),
        failed=status.get("phase") == "Failed",
        node=spec.get("nodeName", ""),
        service_account=spec.get("serviceAccountName") or "default",
        containers={s["name"]: s.get("containerID", "").partition("://")[2] for s in states},
    )


def _reason(
    status: Json, states: Iterable[Json], conditions: Mapping[str, Mapping[str, Any]]
) -> str:
    """The most specific reason that Kubernetes gives: a container's own first."""
    for state in states:
        waiting = state.get("state", {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
            reason = f"{state['name']}: {waiting['reason']}"
            return f"{reason}: {waiting['message']}" if waiting.get("message") else reason
    for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready"):
        condition = conditions.get(kind, {})
        if condition.get("status") == "False":
            if not condition.get("reason") and not condition.get("message"):
                return f"{kind}: without a reason, as on a node that has stopped"
            reason = f"{kind}: {condition.get('reason', '')}"
            return f"{reason}: {condition['message']}" if condition.get("message") else reason
    return str(status.get("phase", "its phase is unknown"))
