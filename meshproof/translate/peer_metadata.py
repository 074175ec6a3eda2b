"""Peer metadata: a proxy tells the next one which workload calls (Istio's x-envoy-peer-metadata).

A certificate names a service account, not a workload. So every sidecar and gateway overwrites a
header with its own workload. The sidecar of the called workload removes that header and keeps it
as dynamic metadata, where its metrics read it.
"""

from __future__ import annotations

import base64

from google.protobuf.struct_pb2 import Value

from meshproof.translate.proto import Json, build_extension
from meshproof.translate.workload_metadata import UNKNOWN, WorkloadMetadata

HEADER = "x-envoy-peer-metadata"
_SPACE, _KEY = "istio.peer", "caller"
_FIELDS = ("workload", "namespace", "app", "version")
_MUTATION = "envoy.http.early_header_mutation.header_mutation"
_MUTATION_TYPE = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
_KEEPER = "envoy.filters.http.header_to_metadata"
_KEEPER_TYPE = "envoy.extensions.filters.http.header_to_metadata.v3.Config"


def announce_peer(workload: WorkloadMetadata) -> list[Json]:
    """``early_header_mutation_extensions`` of a listener whose requests the proxy sends on."""
    fields = {
        "workload": workload.name,
        "namespace": workload.namespace,
        "app": workload.app,
        "version": workload.version,
    }
    append = {
        "header": {"key": HEADER, "value": _encode(fields)},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return [build_extension(_MUTATION, _MUTATION_TYPE, mutations=[{"append": append}])]


def peer_filter() -> Json:
    """The HTTP filter of an inbound listener: the header becomes dynamic metadata and is removed
    before the app sees it. A caller without the header is ``unknown``."""
    target = {
        "metadata_namespace": _SPACE,
        "key": _KEY,
        "type": "PROTOBUF_VALUE",
        "encode": "BASE64",
    }
    unknown = _encode(dict.fromkeys(_FIELDS, UNKNOWN))
    rule = {
        "header": HEADER,
        "on_header_present": target,
        "on_header_missing": {**target, "value": unknown},
        "remove": True,
    }
    return build_extension(_KEEPER, _KEEPER_TYPE, request_rules=[rule])


def caller_field(field: str) -> str:
    """The access log command for one field of the caller's metadata."""
    return f"%DYNAMIC_METADATA({_SPACE}:{_KEY}:{field})%"


def _encode(fields: dict[str, str]) -> str:
    value = Value()
    value.struct_value.update(fields)
    return base64.b64encode(value.SerializeToString(deterministic=True)).decode()
