"""Rollouts of workloads: waits until they are complete, or says which pods are not ready and
why."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.cluster.images import UNAVAILABLE_REMEDY
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.pods import Pod
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import NotLive
from meshproof.wait import until

WITHIN = 120.0
"""Seconds for one workload."""
POLL = 5.0
"""Seconds that kubectl waits before the pods are looked at."""
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
"""Kubernetes' reasons for a container without an image. The kubelet tries again, but what changes
is only the wait between two attempts."""


class Rollouts:
    def __init__(self, kubectl: Kubectl, pods: WorkloadPods) -> None:
        self._kubectl = kubectl
        self._pods = pods

    def wait(self, workloads: Sequence[tuple[str, str, str]]) -> None:
        """For each workload, by kind, namespace and name. Raises NotLive: at once for an image
        that cannot be pulled."""
        for workload in workloads:
            self._wait(*workload)

    def _wait(self, kind: str, namespace: str, name: str) -> None:
        def reason() -> str:
            if not self._kubectl.wait_rollout(namespace, name, kind=kind, within=POLL).code:
                return ""
            pods = [p for p in self._pods.in_namespace(namespace) if p.reason and not p.ending]
            check_images(f"{kind} {namespace}/{name}", name, pods)
            reasons = [f"{p.name}: {p.reason}" for p in pods]
            return "; ".join(reasons) or "its pods are ready, its rollout is not complete"

        what = f"waiting for {kind} {namespace}/{name} to be available"
        until(reason, what, within=WITHIN, every=0)


def check_images(
    title: str, name: str, pods: Sequence[Pod], remedy: str = UNAVAILABLE_REMEDY
) -> None:
    """Raises NotLive for a pod of the workload whose image cannot be pulled."""
    for pod in pods:
        if pod.name.startswith(f"{name}-") and any(reason in pod.reason for reason in _NO_IMAGE):
            raise NotLive(f"{title} cannot start: {pod.name}: {pod.reason}\n  {remedy}")
