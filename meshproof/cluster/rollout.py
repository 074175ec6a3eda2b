"""Rollouts of Deployments: waits until they are complete, or says which pods are not ready."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import NotLive

_WITHIN = 120.0
"""Seconds for one Deployment."""


class Rollouts:
    def __init__(self, kubectl: Kubectl, pods: WorkloadPods) -> None:
        self._kubectl = kubectl
        self._pods = pods

    def wait(self, deployments: Sequence[tuple[str, str]]) -> None:
        """For each Deployment, by namespace and name. Raises NotLive."""
        for namespace, name in deployments:
            if self._kubectl.wait_rollout(namespace, name, within=_WITHIN).code:
                pods = self._pods.in_namespace(namespace)
                reasons = [f"{p.name}: {p.reason}" for p in pods if p.reason and not p.ending]
                raise NotLive(
                    f"Deployment {namespace}/{name} is not available after {_WITHIN:g} s; last: "
                    f"{'; '.join(reasons) or 'its pods are ready, its rollout is not complete'}"
                )
