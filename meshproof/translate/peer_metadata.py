"""Peer metadata: a proxy tells the next one which workload calls (Istio's x-envoy-peer-metadata).

A certificate names a service account, not a workload. So every sidecar and gateway overwrites a
header with its own workload. The sidecar of the called workload removes that header and keeps it
as dynamic metadata, where its metrics read it.
"""

from __future__ import annotations

from meshproof.translate.proto import Json, build_extension
from meshproof.translate.workload_metadata import UNKNOWN, WorkloadMetadata, describe

HEADER = "x-envoy-peer-metadata"
_SPACE, _KEY = "istio.peer", "caller"
CALLER = f"%DYNAMIC_METADATA({_SPACE}:{_KEY})%"
"""The access log command for the caller, as ``describe`` writes a workload."""
NOBODY = describe(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
_MUTATION = "envoy.http.early_header_mutation.header_mutation"
_MUTATION_TYPE = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
_KEEPER = "envoy.filters.http.header_to_metadata"
_KEEPER_TYPE = "envoy.extensions.filters.http.header_to_metadata.v3.Config"


def announce_peer(workload: WorkloadMetadata) -> list[Json]:
    """``early_header_mutation_extensions`` of a listener whose requests the proxy sends on."""
    text = describe(workload.name, workload.namespace, workload.app, workload.version)
    append = {
        "header": {"key": HEADER, "value": text},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return [build_extension(_MUTATION, _MUTATION_TYPE, mutations=[{"append": append}])]


def peer_filter() -> Json:
    """The HTTP filter of an inbound listener: the header becomes dynamic metadata and is removed
    before the app sees it. A caller without the header is ``unknown``."""
    target = {"metadata_namespace": _SPACE, "key": _KEY, "type": "STRING"}
    rule = {
        "header": HEADER,
        "on_header_present": target,
        "on_header_missing": {**target, "value": NOBODY},
        "remove": True,
    }
    return build_extension(_KEEPER, _KEEPER_TYPE, request_rules=[rule])
