"""Who calls, told from sidecar to sidecar for the metrics: Istio's x-envoy-peer-metadata.

A certificate names an account, not a workload. So every sidecar and gateway says in a header who
it is, whatever the client wrote there; the sidecar of the one that is called takes the header off
and keeps it as metadata, where its metrics read it.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from google.protobuf.struct_pb2 import Value

from meshproof.translate.proto import Json, extension

if TYPE_CHECKING:
    from meshproof.translate.metrics import Identity

HEADER = "x-envoy-peer-metadata"
UNKNOWN = "unknown"
_SPACE, _KEY = "istio.peer", "caller"
_FIELDS = ("workload", "namespace", "app", "version")
_MUTATION = "envoy.http.early_header_mutation.header_mutation"
_MUTATION_TYPE = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
_KEEPER = "envoy.filters.http.header_to_metadata"
_KEEPER_TYPE = "envoy.extensions.filters.http.header_to_metadata.v3.Config"


def announced(identity: Identity) -> list[Json]:
    """``early_header_mutation_extensions`` of what a proxy sends on."""
    said = {name: getattr(identity, name) for name in _FIELDS}
    append = {
        "header": {"key": HEADER, "value": _encoded(said)},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return [extension(_MUTATION, _MUTATION_TYPE, mutations=[{"append": append}])]


def kept() -> Json:
    """The filter of what a sidecar takes in: the header becomes metadata, and the app never sees
    it; who says nothing is unknown."""
    where = {
        "metadata_namespace": _SPACE,
        "key": _KEY,
        "type": "PROTOBUF_VALUE",
        "encode": "BASE64",
    }
    nobody = _encoded(dict.fromkeys(_FIELDS, UNKNOWN))
    rule = {
        "header": HEADER,
        "on_header_present": where,
        "on_header_missing": {**where, "value": nobody},
        "remove": True,
    }
    return extension(_KEEPER, _KEEPER_TYPE, request_rules=[rule])


def caller(field: str) -> str:
    """What an access logger writes for one of the caller's fields."""
    return f"%DYNAMIC_METADATA({_SPACE}:{_KEY}:{field})%"


def _encoded(fields: dict[str, str]) -> str:
    value = Value()
    value.struct_value.update(fields)
    return base64.b64encode(value.SerializeToString(deterministic=True)).decode()
