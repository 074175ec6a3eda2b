"""A request as a connection manager has it before it chooses a route.

Envoy: ConnectionManagerUtility::mutateRequestHeaders. A request counts as external, and so loses
the headers that steer Envoy: our listeners name no internal addresses.
"""

from __future__ import annotations

from dataclasses import replace

from meshproof.explain.connection import Peer
from meshproof.explain.request import Request, merge_slashes, normalize_path, unescape_slashes
from meshproof.explain.string_match import Json

_ID = "x-request-id"
PROTO = "x-forwarded-proto"
_HOP_BY_HOP = ("keep-alive", "proxy-connection", "transfer-encoding")
_EXTERNAL = (
    *("x-envoy-internal", "x-envoy-force-trace", "x-envoy-ip-tags", "x-envoy-original-url"),
    *("x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-max-retries"),
    *("x-envoy-retriable-status-codes", "x-envoy-retriable-header-names"),
    *("x-envoy-hedge-on-per-try-timeout", "x-envoy-upstream-alt-stat-name"),
    *("x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-rq-per-try-timeout-ms"),
    *("x-envoy-upstream-rq-timeout-alt-response", "x-envoy-expected-rq-timeout-ms"),
)
"""Headers that no request of the outside may bring."""
_CERTIFICATE = "x-forwarded-client-cert"


def prepare_request(config: Json, request: Request, peer: Peer) -> Request:
    """The request with what the manager itself removes and adds."""
    result = request
    if not result.is_connect:
        result = replace(result, path=_normalized(config, result.path))
    for name in (*_HOP_BY_HOP, *_EXTERNAL, *(() if peer.identity else (_CERTIFICATE,))):
        result = result.without(name)
    if (result.get("te") or "trailers") != "trailers":
        result = result.without("te")
    if config.get("use_remote_address"):
        result = _behind_the_edge(result, peer)
    proto = result.get(PROTO)
    if proto is None:
        result = result.with_header(PROTO, "https" if peer.tls else "http")
    elif not result.absolute_form and proto.lower() in ("http", "https"):
        result = replace(result, scheme=proto.lower())
    return result if result.get(_ID) is not None else result.with_header(_ID, "a new one")


def _behind_the_edge(request: Request, peer: Peer) -> Request:
    """At a gateway, which trusts no header of its clients."""
    previous = request.get("x-forwarded-for")
    chain = f"{previous},{peer.source_ip}" if previous else peer.source_ip
    return request.without(PROTO).without("x-forwarded-for").with_header("x-forwarded-for", chain)


def _normalized(config: Json, path: str) -> str:
    if config.get("path_with_escaped_slashes_action") == "UNESCAPE_AND_FORWARD":
        path = unescape_slashes(path)
    if config.get("normalize_path"):
        path = normalize_path(path)
    return merge_slashes(path) if config.get("merge_slashes") else path
