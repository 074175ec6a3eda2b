"""How things of a mesh are named in sentences: clusters, virtual hosts, refusals."""

from __future__ import annotations

from meshproof.explain.string_match import Json
from meshproof.istio_names import ClusterName


def nothing_opens(url: str, source: str) -> str:
    """What the refusal of an unknown host means, and what would open the way."""
    return (
        f"no rule opens {url} for {source}: a ServiceEntry (or an EgressRule of 0.4) for that host "
        "and port would, or a Service of that name"
    )


def cluster(name: str) -> str:
    """``outbound|80|v1|svcb.default.svc.cluster.local`` as ``subset v1 of svcb.default:80``."""
    known = ClusterName.parse(name)
    if known is None or known.direction != "outbound":
        return name
    service = f"{known.short_host}:{known.port}"
    return f"subset {known.subset} of {service}" if known.subset else service


def missing(name: str) -> str:
    """Why a cluster that a route names is not there."""
    known = ClusterName.parse(name)
    if known is None:
        return f"{name} is no host"
    if known.subset:
        return f"no DestinationRule that counts here makes subset {known.subset} of {known.host}"
    return f"{known.host} has no port {known.port}, or is no host that is known here"


def route(made: Json, host: str) -> str:
    """A route that no rule made."""
    name = made.get("name", "")
    if name == "default":
        return f"the default route of {host} (no VirtualService or HTTPRoute speaks for it)"
    if name == "connect":
        return "tunnels (CONNECT)"
    if name == "allow_any":
        return f"{host}, which outboundTrafficPolicy ALLOW_ANY lets out"
    return name or f"the route of {host}"
