"""What a killed run left in a cluster that is used again: the next run must not meet it."""

from __future__ import annotations

from collections.abc import Collection

from meshproof.admission.store import Key
from meshproof.cluster.assets import LABEL, OUTSIDE, OWNED, SYSTEM
from meshproof.cluster.kubectl import Json, Kubectl
from meshproof.istio_names import ROOT_NAMESPACE

_KINDS = ",".join(
    (
        "deployments.apps",
        "statefulsets.apps",
        "daemonsets.apps",
        "services",
        "virtualservices.networking.istio.io",
        "destinationrules.networking.istio.io",
        "serviceentries.networking.istio.io",
        "gateways.networking.istio.io",
        "sidecars.networking.istio.io",
        "authorizationpolicies.security.istio.io",
        "peerauthentications.security.istio.io",
        "requestauthentications.security.istio.io",
    )
)


def find_orphans(kubectl: Kubectl, expected: Collection[Key]) -> list[Json]:
    """Rules and workloads that carry our label and are not ``expected``, with as much of each as
    ``kubectl delete`` needs."""
    labelled = kubectl.get(_KINDS, "-A", "-l", f"{LABEL}={OWNED}", doing="looking for orphans")
    return [
        {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": _identity(item)}
        for item in labelled
        if item["metadata"]["namespace"] not in (SYSTEM, OUTSIDE, ROOT_NAMESPACE)
        and (item["kind"], *_identity(item).values()) not in expected
    ]


def _identity(item: Json) -> dict[str, str]:
    metadata = item["metadata"]
    return {"namespace": metadata["namespace"], "name": metadata["name"]}
