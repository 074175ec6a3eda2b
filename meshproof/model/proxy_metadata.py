"""Variables of a proxy's environment: ``proxyMetadata``, ``environmentVariables`` of ProxyConfig.

Those that begin with ISTIO_META_ become metadata of the node, by which istiod builds what the proxy
gets (Istio: NodeMetadata in pkg/model/proxy.go).
"""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.model.base_model import FieldError
from meshproof.model.kinds import NOT_YET

_META = "ISTIO_META_"
_STEERING: Mapping[str, str] = {
    "IDLE_TIMEOUT": "idle TCP connections would be closed after it",
    "HTTP10": "the sidecar would take HTTP/1.0",
    "HTTP_PROXY_PORT": "the sidecar would be a forward proxy there",
    "INTERCEPTION_MODE": "connections would be intercepted in another way",
    "NETWORK": "there is one network",
    "REQUESTED_NETWORK_VIEW": "there is one network",
    "CLUSTER_ID": "there is one cluster",
    "ROUTER_MODE": "the gateway would pass connections on by SNI",
    "GENERATOR": "the proxy would ask for another configuration",
    "ENABLE_HBONE": "ambient mode has no sidecars",
    "GLOBAL_DOWNSTREAM_MAX_CONNECTIONS": "connections beyond it would be refused",
    **{
        f"TLS_{side}_{name}": "the proxy would have another certificate"
        for side in ("SERVER", "CLIENT")
        for name in ("CERT_CHAIN", "KEY", "ROOT_CERT")
    },
}
"""What istiod reads of it, and what it would change."""
_LABELS = "ISTIO_METAJSON_LABELS"


def refuse_metadata(variables: Mapping[str, str], field: str) -> None:
    """Raises FieldError, unsupported, for a variable that would change what the proxy does."""
    for name in variables:
        meaning = _STEERING.get(name.removeprefix(_META)) if name.startswith(_META) else None
        if name == _LABELS:
            meaning = "the proxy would have other labels"
        if meaning:
            raise FieldError(f"is set, which {NOT_YET}: {meaning}", field, name, unsupported=True)
