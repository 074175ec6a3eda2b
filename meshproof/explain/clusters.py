"""What stands behind a cluster: which endpoint with what chance, and how it is spoken to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.explain.proxies import Address, Proxy
from meshproof.explain.request import Request
from meshproof.explain.string_match import Json

_UNFIT = ("UNHEALTHY", "DRAINING", "TIMEOUT")
_MATCH = "envoy.transport_socket_match"
_SUBSET = "envoy.lb"
_HASHED = ("RING_HASH", "MAGLEV")


@dataclass(frozen=True, slots=True)
class Member:
    """An endpoint that may be chosen; ``address`` is None for a Unix socket (an app's own)."""

    share: float
    address: Address | None
    metadata: Json


def members(proxy: Proxy, cluster: Json, wanted: Json) -> list[Member]:
    """By weight among the healthy ones of the best priority; shares add up to 1. ``wanted`` is a
    route's metadata_match, which narrows a cluster with subsets."""
    assignment = cluster.get("load_assignment")
    if assignment is None:
        name = cluster.get("eds_cluster_config", {}).get("service_name") or cluster["name"]
        assignment = proxy.endpoints.get(name, {})
    groups: dict[int, list[tuple[float, Json]]] = {}
    for group in assignment.get("endpoints", ()):
        for entry in group.get("lb_endpoints", ()):
            if entry.get("health_status") not in _UNFIT and _carries(entry, wanted):
                weight = float(entry.get("load_balancing_weight", 1))
                groups.setdefault(group.get("priority", 0), []).append((weight, entry))
    best = groups[min(groups)] if groups else []
    total = sum(weight for weight, _ in best)
    return [Member(weight / total, _address(entry), _metadata(entry)) for weight, entry in best]


def _carries(entry: Json, wanted: Json) -> bool:
    asked = wanted.get("filter_metadata", {}).get(_SUBSET, {})
    return bool(asked.items() <= _metadata(entry).get(_SUBSET, {}).items())


def _metadata(entry: Json) -> Json:
    found: Json = entry.get("metadata", {}).get("filter_metadata", {})
    return found


def _address(entry: Json) -> Address | None:
    place = entry["endpoint"]["address"].get("socket_address")
    return (place["address"], place["port_value"]) if place else None


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """``mutual``: with the mesh's certificates; ``tls``: TLS of the outside world."""

    kind: str = "plain"
    sni: str = ""
    names: tuple[str, ...] = ()
    """Which identities the server may have; none is any."""
    protocols: tuple[str, ...] = ()
    """ALPN that the client offers."""


def upstream_tls(cluster: Json, member: Member) -> UpstreamTls:
    """How an endpoint is spoken to."""
    socket = cluster.get("transport_socket")
    labels = member.metadata.get(_MATCH, {})
    for entry in cluster.get("transport_socket_matches", ()):
        if entry.get("match", {}).items() <= labels.items():
            socket = entry.get("transport_socket")
            break
    context = (socket or {}).get("typed_config", {})
    if not context.get("@type", "").endswith("UpstreamTlsContext"):
        return UpstreamTls()
    common = context.get("common_tls_context", {})
    validation = common.get("combined_validation_context", {}).get("default_validation_context", {})
    names = tuple(
        str(entry["matcher"]["exact"])
        for entry in validation.get("match_typed_subject_alt_names", ())
    )
    own = bool(common.get("tls_certificate_sds_secret_configs"))
    protocols = tuple(common.get("alpn_protocols", ()))
    return UpstreamTls("mutual" if own else "tls", context.get("sni", ""), names, protocols)


def sticky(cluster: Json, policies: Sequence[Json], request: Request) -> str:
    """By what a hashing balancer chooses for this request; empty where it draws at random."""
    if cluster.get("lb_policy") not in _HASHED:
        return ""
    for policy in policies:
        if "header" in policy and request.get(name := policy["header"]["header_name"]) is not None:
            return f"header {name}"
        if "query_parameter" in policy:
            name = policy["query_parameter"]["name"]
            if request.parameter(name) is not None:
                return f"query parameter {name}"
        if "cookie" in policy:
            name = policy["cookie"]["name"]
            if request.cookie(name) is not None:
                return f"cookie {name}"
        if "connection_properties" in policy:
            return "the caller's address"
    return ""
