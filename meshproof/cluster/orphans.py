"""What a killed run left in a cluster that is used again: it must not meet the next run."""

from __future__ import annotations

from collections.abc import Collection

from meshproof.cluster.assets import LABEL, OUTSIDE, OWNED, SYSTEM
from meshproof.cluster.kubectl import Json, Kubectl
from meshproof.cluster.manifests import Key
from meshproof.istio_names import ROOT_NAMESPACE

_KINDS = ",".join(
    (
        "deployments.apps",
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


def left_over(kubectl: Kubectl, wanted: Collection[Key]) -> list[Json]:
    """Rules and workloads that carry our label and are not wanted, as far as ``kubectl delete``
    asks: kind and name."""
    found = kubectl.get(_KINDS, "-A", "-l", f"{LABEL}={OWNED}", doing="looking for what is left")
    return [
        {"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": _named(one)}
        for one in found
        if one["metadata"]["namespace"] not in (SYSTEM, OUTSIDE, ROOT_NAMESPACE)
        and (one["kind"], *_named(one).values()) not in wanted
    ]


def _named(one: Json) -> dict[str, str]:
    metadata = one["metadata"]
    return {"namespace": metadata["namespace"], "name": metadata["name"]}
