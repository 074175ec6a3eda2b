"""How things of a mesh are named in sentences: clusters, virtual hosts, refusals."""

from __future__ import annotations

from meshproof.explain.string_match import Json


def nothing_opens(url: str, source: str) -> str:
    """What the refusal of an unknown host means, and what would open the way."""
    return (
        f"no rule opens {url} for {source}: a ServiceEntry (or an EgressRule of 0.4) for that host "
        "and port would, or a Service of that name"
    )


def cluster(name: str) -> str:
    """``outbound|80|v1|svcb.default.svc.cluster.local`` as ``subset v1 of svcb.default:80``."""
    parts = name.split("|")
    if len(parts) != 4 or parts[0] != "outbound":
        return name
    _, port, subset, host = parts
    where = f"{host.removesuffix('.svc.cluster.local')}:{port}"
    return f"subset {subset} of {where}" if subset else where


def missing(name: str) -> str:
    """Why a cluster that a route names is not there."""
    parts = name.split("|")
    if len(parts) == 4 and parts[2]:
        return f"no DestinationRule that counts here makes subset {parts[2]} of {parts[3]}"
    if len(parts) == 4:
        return f"{parts[3]} has no port {parts[1]}, or is no host that is known here"
    return f"{name} is no host"


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
