"""Envoy's messages for the values of patches, and how two of them are merged.

Istio: pkg/proto/merge (repeated fields are appended, maps merged by key, durations replaced) and
MergeAnyWithAny of pilot/pkg/networking/util.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import extension_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)
from google.protobuf import descriptor, json_format, symbol_database

from meshproof.translate.proto import Json
from meshproof.xds.any_types import ensure_types

MESSAGES: dict[str, Any] = {
    "LISTENER": listener_pb2.Listener,
    "LISTENER_FILTER": listener_components_pb2.ListenerFilter,
    "FILTER_CHAIN": listener_components_pb2.FilterChain,
    "NETWORK_FILTER": listener_components_pb2.Filter,
    "HTTP_FILTER": hcm_pb2.HttpFilter,
    "ROUTE_CONFIGURATION": route_pb2.RouteConfiguration,
    "VIRTUAL_HOST": route_components_pb2.VirtualHost,
    "HTTP_ROUTE": route_components_pb2.Route,
    "CLUSTER": cluster_pb2.Cluster,
    "EXTENSION_CONFIG": extension_pb2.TypedExtensionConfig,
}
CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"
_TYPED_STRUCTS = (
    "type.googleapis.com/udpa.type.v1.TypedStruct",
    "type.googleapis.com/xds.type.v3.TypedStruct",
)


def parse(apply_to: str, value: Json) -> Any:
    """A value as a message. Raises ValueError, which says where it does not fit."""
    plain = untyped(value)
    try:
        ensure_types(plain)
    except ModuleNotFoundError as error:
        raise ValueError(f"names a type that Envoy does not have: {error.name}") from None
    message = _message(apply_to)
    try:
        json_format.ParseDict(plain, message)
    except json_format.ParseError as error:
        raise ValueError(_explain(str(error))) from None
    return message


_NO_FIELD = re.compile(
    r'Message type "[\w.]+?(?P<kind>\w+)" has no field named "(?P<field>\w+)"'
    r' at "\w+\.?(?P<place>[\w.]*)"'
)
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _explain(text: str) -> str:
    """A message of protobuf's JSON parser in one line; of a field that is not there, where it
    stands and which one is like it, without the list of all that there are."""
    match = _NO_FIELD.search(text)
    if match is None:
        return " ".join(text.split())
    names = re.findall(r"'(\w+)'", text.partition("Available Fields")[2])
    near = get_close_matches(match["field"], [_WORDS.sub("_", n).lower() for n in names], 1)
    where = f"{match['place']}: " if match["place"] else ""
    remedy = f"; did you mean {near[0]}?" if near else ""
    return f"{where}{match['kind']} has no field {match['field']}{remedy}"


def _message(apply_to: str) -> Any:
    if apply_to == "BOOTSTRAP":
        # Slow to import, and hardly any filter has one.
        from envoy.config.bootstrap.v3 import bootstrap_pb2  # noqa: PLC0415

        return bootstrap_pb2.Bootstrap()
    return MESSAGES[apply_to]()


def to_json(message: Any) -> Json:
    result: Json = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return result


def untyped(value: Any) -> Any:
    """With every TypedStruct replaced by the message that it stands for."""
    if isinstance(value, list):
        return [untyped(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("@type") in _TYPED_STRUCTS:
        type_url = value.get("type_url", value.get("typeUrl", ""))
        return {"@type": type_url, **untyped(value.get("value") or {})}
    return {key: untyped(item) for key, item in value.items()}


def unpack(packed: Any) -> Any:
    """The message inside an Any whose class is known."""
    name = packed.type_url.rpartition("/")[2]
    message = symbol_database.Default().GetSymbol(name)()
    packed.Unpack(message)
    return message


def merge(target: Any, source: Any) -> None:
    """Put what ``source`` says into ``target``."""
    for field, value in source.ListFields():
        if field.type != descriptor.FieldDescriptor.TYPE_MESSAGE or _is_many(field):
            _merge_plain(target, field, value)
        elif field.message_type.full_name == "google.protobuf.Any" and target.HasField(field.name):
            merge_any(getattr(target, field.name), value)
        elif field.message_type.full_name.startswith("google.protobuf."):
            getattr(target, field.name).CopyFrom(value)
        else:
            child = getattr(target, field.name)
            child.SetInParent()  # of several alternatives this one counts from now on
            merge(child, value)


def _is_many(field: Any) -> bool:
    return bool(field.is_repeated) if hasattr(field, "is_repeated") else field.label == 3


def _merge_plain(target: Any, field: Any, value: Any) -> None:
    if not _is_many(field):
        setattr(target, field.name, value)
        return
    rows = getattr(target, field.name)
    message = field.message_type
    if message is None or not message.GetOptions().map_entry:
        rows.extend(value)
        return
    for key in value:
        if message.fields_by_name["value"].message_type is None:
            rows[key] = value[key]
        else:
            rows[key].CopyFrom(value[key])


def merge_any(target: Any, source: Any) -> None:
    """Of two types the first stays, as in Istio."""
    if not target.type_url:
        target.CopyFrom(source)
    elif target.type_url == source.type_url:
        message = unpack(target)
        merge(message, unpack(source))
        target.Pack(message)
