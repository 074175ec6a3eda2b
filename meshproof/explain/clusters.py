"""Clusters: which endpoint is chosen with what chance, and over which TLS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """An endpoint that may be chosen. ``address`` is None for a Unix socket, whose path is
    ``pipe``."""

    share: float
    address: Address | None
    metadata: Json
    pipe: str = ""


def connection_shares(tcp_proxy: Json) -> list[tuple[str, float]]:
    """The clusters that a TcpProxy passes connections on to, each with its share of 1."""
    weighted = tcp_proxy.get("weighted_clusters", {}).get("clusters")
    if not weighted:
        return [(tcp_proxy["cluster"], 1.0)]
    total = sum(float(c["weight"]) for c in weighted)
    return [(c["name"], float(c["weight"]) / total) for c in weighted]


def members(
    proxy: Proxy, cluster: Json, metadata_match: Json, original: Address | None = None
) -> list[Member]:
    """The healthy endpoints of the best priority; their shares add up to 1. Localities divide the
    requests by their weights where the cluster says so. ``metadata_match`` is the route's, which
    selects a subset of the cluster; ``original`` is where a captured connection was going, the
    only endpoint of an ORIGINAL_DST cluster."""
    if cluster.get("type") == "ORIGINAL_DST":
        return [Member(1.0, original, {})]
    assignment = cluster.get("load_assignment")
    if assignment is None:
        name = cluster.get("eds_cluster_config", {}).get("service_name") or cluster["name"]
        assignment = proxy.endpoints.get(name, {})
    weighted = "locality_weighted_lb_config" in cluster.get("common_lb_config", {})
    groups: dict[int, list[tuple[float, Json]]] = {}
    for group in assignment.get("endpoints", ()):
        entries = [
            (float(entry.get("load_balancing_weight", 1)), entry)
            for entry in group.get("lb_endpoints", ())
            if entry.get("health_status") not in _UNFIT and _is_in_subset(entry, metadata_match)
        ]
        if weighted:
            share = float(group.get("load_balancing_weight", 0)) / (_total(entries) or 1)
            entries = [(weight * share, entry) for weight, entry in entries]
        if entries:
            groups.setdefault(group.get("priority", 0), []).extend(entries)
    preferred = groups[min(groups)] if groups else []
    total = _total(preferred)
    return [
        Member(weight / total, _address(entry), _metadata(entry), _pipe(entry))
        for weight, entry in preferred
        if weight
    ]


def _total(entries: Iterable[tuple[float, Json]]) -> float:
    return sum(weight for weight, _ in entries)


def _is_in_subset(entry: Json, metadata_match: Json) -> bool:
    subset = metadata_match.get("filter_metadata", {}).get(_SUBSET, {})
    return bool(subset.items() <= _metadata(entry).get(_SUBSET, {}).items())


def _metadata(entry: Json) -> Json:
    metadata: Json = entry.get("metadata", {}).get("filter_metadata", {})
    return metadata


def _address(entry: Json) -> Address | None:
    socket_address = entry["endpoint"]["address"].get("socket_address")
    return (socket_address["address"], socket_address["port_value"]) if socket_address else None


def _pipe(entry: Json) -> str:
    path: str = entry["endpoint"]["address"].get("pipe", {}).get("path", "")
    return path


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """``plain``; ``mutual``: with the mesh's certificates; ``tls``: originated TLS; ``proxied``:
    the PROXY header first, which no sidecar expects (``proxyProtocol``)."""

    kind: str = "plain"
    sni: str = ""
    names: tuple[str, ...] = ()
    """Identities that the server may have; empty for any."""
    protocols: tuple[str, ...] = ()
    """ALPN that the client offers."""

    @property
    def is_tls(self) -> bool:
        """Whether the first bytes are those of TLS."""
        return self.kind in ("mutual", "tls")


def upstream_tls(cluster: Json, member: Member) -> UpstreamTls:
    """The TLS of a connection to an endpoint."""
    socket = cluster.get("transport_socket")
    labels = member.metadata.get(_MATCH, {})
    for entry in cluster.get("transport_socket_matches", ()):
        if entry.get("match", {}).items() <= labels.items():
            socket = entry.get("transport_socket")
            break
    context = (socket or {}).get("typed_config", {})
    if context.get("@type", "").endswith("ProxyProtocolUpstreamTransport"):
        return UpstreamTls("proxied")
    if not context.get("@type", "").endswith("UpstreamTlsContext"):
        return UpstreamTls()
    common = context.get("common_tls_context", {})
    validation = common.get("combined_validation_context", {}).get("default_validation_context", {})
    matchers = [entry["matcher"] for entry in validation.get("match_typed_subject_alt_names", ())]
    matchers += validation.get("match_subject_alt_names", ())  # Istio's, deprecated in Envoy
    names = tuple(str(matcher["exact"]) for matcher in matchers if "exact" in matcher)
    mesh_certificate = bool(common.get("tls_certificate_sds_secret_configs"))
    protocols = tuple(common.get("alpn_protocols", ()))
    return UpstreamTls(
        "mutual" if mesh_certificate else "tls", context.get("sni", ""), names, protocols
    )


def hash_source(cluster: Json, policies: Sequence[Json], request: Request) -> str:
    """What a hashing load balancer hashes for this request; empty if it chooses at random."""
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
