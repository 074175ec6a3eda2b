"""What gateways are called. Pure, and cheap to import."""

from __future__ import annotations

from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE
from meshproof.translate.world import Proxy

GATEWAY = "gateway"
"""The name of the ingress gateway wherever a workload may be named."""
Key = tuple[str, str]
"""Namespace and name of a gateway's workload."""
INGRESS: Key = (ROOT_NAMESPACE, INGRESS_GATEWAY)


def node_of(proxy: Proxy) -> str:
    """The name of a gateway's process and files; Istio's own have theirs for themselves."""
    if proxy.namespace == ROOT_NAMESPACE:
        return proxy.workload
    return f"{proxy.namespace}.{proxy.workload}"


def identity_of(proxy: Proxy, trust_domain: str) -> str:
    """Its SPIFFE id."""
    return f"spiffe://{trust_domain}/ns/{proxy.namespace}/sa/{proxy.service_account}"
