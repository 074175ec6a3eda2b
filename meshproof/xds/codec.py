"""Resources in JSON form to xDS messages on the wire and back; the only user of Envoy's classes.

Equal resources are serialised once: a hundred sidecars share most of their configuration.
``xds-protos`` generates its classes without type information, so this module returns bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import json_format

from meshproof.errors import NotLive
from meshproof.translate.world import Resource
from meshproof.xds.any_types import ensure_types

CLUSTERS = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENERS = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
SECRETS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
TYPES = (CLUSTERS, ENDPOINTS, LISTENERS, ROUTES, SECRETS)

_MESSAGE = {
    CLUSTERS: cluster_pb2.Cluster,
    ENDPOINTS: endpoint_pb2.ClusterLoadAssignment,
    LISTENERS: listener_pb2.Listener,
    ROUTES: route_pb2.RouteConfiguration,
    SECRETS: secret_pb2.Secret,
}
CACHE_LIMIT = 32 << 20
"""Bytes; the configuration of a hundred sidecars takes about 2 MB."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One resource on the wire. ``data`` is the ``resources`` field of a DiscoveryResponse."""

    digest: bytes
    data: bytes
    names: frozenset[str] = frozenset()
    """Route configurations and secrets that this resource makes an Envoy subscribe to."""


class SchemaError(NotLive):
    """A value that Istio's schema allows, and Envoy's does not."""


class _Cache(dict[tuple[str, str], Encoded]):
    """Is emptied once it has grown too large: what is still in use comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def keep(self, key: tuple[str, str], encoded: Encoded) -> Encoded:
        if self.size > CACHE_LIMIT:
            self.clear()
            self.size = 0
        self.size += len(key[1]) + len(encoded.data)
        self[key] = encoded
        return encoded


_cache = _Cache()


def encode(type_url: str, resource: Resource) -> Encoded:
    """``resource`` as bytes. Raises SchemaError when it does not fit Envoy's schema."""
    if type_url == ROUTES:
        return _encode_routes(resource)
    return _encode_part(type_url, resource, _encode)


def _encode_part(
    type_url: str, resource: Resource, encoder: Callable[[str, Resource], Encoded]
) -> Encoded:
    key = (type_url, json.dumps(resource, sort_keys=True, separators=(",", ":")))
    cached = _cache.get(key)
    return cached if cached is not None else _cache.keep(key, encoder(type_url, resource))


def _encode_routes(table: Resource) -> Encoded:
    """A route table host by host, so that a change of one host encodes that one: concatenated
    messages merge, and so do their virtual hosts."""
    hosts: Any = table.get("virtual_hosts", ())
    rest = {name: value for name, value in table.items() if name != "virtual_hosts"}
    parts: list[Resource] = [rest]
    parts += ({"virtual_hosts": [host]} for host in hosts)
    encoded = [_encode_part(ROUTES, part, _encode_message) for part in parts]
    return _pack(ROUTES, b"".join(e.data for e in encoded), frozenset())


def _encode(type_url: str, resource: Resource) -> Encoded:
    part = _encode_message(type_url, resource)
    return _pack(type_url, part.data, frozenset(_references(resource)))


def _encode_message(type_url: str, resource: Resource) -> Encoded:
    """The message alone, without the frame of a response."""
    ensure_types(resource)
    message = _MESSAGE[type_url]()
    try:
        json_format.ParseDict(resource, message)
    except json_format.ParseError as error:
        raise SchemaError(
            f"Envoy has no such configuration: {type_url.rsplit('.', 1)[-1]}: {error}"
        ) from None
    return Encoded(b"", message.SerializeToString(deterministic=True))


def _pack(type_url: str, message: bytes, names: frozenset[str]) -> Encoded:
    response = discovery_pb2.DiscoveryResponse()
    packed = response.resources.add()
    packed.type_url, packed.value = type_url, message
    data = response.SerializeToString(deterministic=True)
    digest = hashlib.blake2b(data, digest_size=12).digest()
    return Encoded(digest, data, names)


def decode(type_url: str, encoded: Encoded) -> Resource:
    """A resource back from the wire, in protobuf's JSON form with snake_case names."""
    response: Any = discovery_pb2.DiscoveryResponse.FromString(encoded.data)
    message = _MESSAGE[type_url].FromString(response.resources[0].value)
    resource: Resource = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return resource


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(rds := value.get("rds"), dict):
            yield str(rds["route_config_name"])
        if "sds_config" in value:
            yield str(value["name"])
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)


_versions: dict[int, tuple[Mapping[str, Encoded], str]] = {}
"""By identity of a mapping; the mapping is kept here too, so that its id stays its own."""
_VERSIONS_LIMIT = 4096


def version_of(resources: Mapping[str, Encoded]) -> str:
    """A short version, equal for equal sets of resources. Nobody may change ``resources`` in place:
    the version is computed once for each mapping, because many sidecars share most of them.
    """
    cached = _versions.get(id(resources))
    if cached is not None:
        return cached[1]
    digest = hashlib.blake2b(digest_size=6)
    for name, encoded in sorted(resources.items(), key=lambda item: item[0]):
        digest.update(name.encode())
        digest.update(encoded.digest)
    if len(_versions) >= _VERSIONS_LIMIT:
        _versions.clear()
    version = digest.hexdigest()
    _versions[id(resources)] = (resources, version)
    return version


def version_of_all(types: Iterable[Mapping[str, Encoded]]) -> str:
    """One version of the resources of several types, in their order."""
    text = " ".join(version_of(resources) for resources in types)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def build_response(type_url: str, version: str, nonce: str, resources: Iterable[Encoded]) -> bytes:
    """A serialised DiscoveryResponse. Concatenated protobuf messages merge, so the resources'
    bytes are reused as they are."""
    head = discovery_pb2.DiscoveryResponse(version_info=version, type_url=type_url, nonce=nonce)
    data: bytes = head.SerializeToString()
    return data + b"".join(r.data for r in resources)


@dataclass(frozen=True, slots=True)
class Request:
    """A DiscoveryRequest: a subscription, an ACK, or a NACK (``error``)."""

    type_url: str
    node: str
    names: tuple[str, ...]
    version: str
    nonce: str
    error: str


def parse_request(data: bytes) -> Request:
    message: Any = discovery_pb2.DiscoveryRequest.FromString(data)
    return Request(
        type_url=message.type_url,
        node=message.node.id,
        names=tuple(message.resource_names),
        version=message.version_info,
        nonce=message.response_nonce,
        error=message.error_detail.message if message.HasField("error_detail") else "",
    )
