"""Descriptions of clusters, routes and refusals in the sentences of an explanation."""

from __future__ import annotations

from meshproof.explain.string_match import Json
from meshproof.istio_names import (
    EGRESS_GATEWAY,
    INGRESS_GATEWAY,
    ROOT_NAMESPACE,
    ClusterName,
    service_host,
)

_OWN_GATEWAYS = [service_host(n, ROOT_NAMESPACE) for n in (INGRESS_GATEWAY, EGRESS_GATEWAY)]
"""Services that exist as soon as a Gateway selects their gateway."""


def describe_refused_host(url: str, source: str) -> str:
    """Why the mesh refuses an unknown host, and what would open it."""
    return (
        f"no rule opens {url} for {source}: a ServiceEntry (or an EgressRule of 0.4) for that host "
        "and port would, or a Service of that name"
    )


def describe_cluster(name: str) -> str:
    """``outbound|80|v1|svcb.default.svc.cluster.local`` as ``subset v1 of svcb.default:80``."""
    parsed = ClusterName.parse(name)
    if parsed is None or parsed.direction != "outbound":
        return name
    service = f"{parsed.short_host}:{parsed.port}"
    return f"subset {parsed.subset} of {service}" if parsed.subset else service


def describe_tunnel(tcp_proxy: Json) -> str:
    """What a TcpProxy asks the server for before it passes bytes on; empty if nothing."""
    tunnel = tcp_proxy.get("tunneling_config")
    if tunnel is None:
        return ""
    method = "POST" if tunnel.get("use_post") else "CONNECT"
    return f", in a tunnel that it asks for by {method} {tunnel['hostname']}"


def describe_missing_cluster(name: str) -> str:
    """Why a cluster that a route names does not exist."""
    parsed = ClusterName.parse(name)
    if parsed is None:
        return f"{name} is not a host"
    if parsed.host in _OWN_GATEWAYS:
        return f"{parsed.host} is not there: no Gateway selects that gateway by its labels"
    if parsed.subset:
        return f"no DestinationRule that counts here makes subset {parsed.subset} of {parsed.host}"
    return f"{parsed.host} has no port {parsed.port}, or is not a host that is known here"


def describe_route(entry: Json, host: str) -> str:
    """A route that no rule stands for."""
    name = entry.get("name", "")
    if name == "default":
        return f"the default route of {host} (no VirtualService or HTTPRoute speaks for it)"
    if name == "connect":
        return "tunnels (CONNECT)"
    if name == "allow_any":
        return f"{host}, which outboundTrafficPolicy ALLOW_ANY lets out"
    return name or f"the route of {host}"
