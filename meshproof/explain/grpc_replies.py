"""Local replies to gRPC requests: Envoy tells any status of its own as 200, with a gRPC status and
no body (Utility::sendLocalReply, Grpc::Utility::httpToGrpcStatus)."""

from __future__ import annotations

from dataclasses import replace

from meshproof.explain.request import Request
from meshproof.explain.result import MESH, Step

_UNAVAILABLE = (429, 502, 503, 504)
_STATUS = {400: 13, 401: 16, 403: 7, 404: 12, **dict.fromkeys(_UNAVAILABLE, 14)}
_UNKNOWN = 2


def is_grpc(request: Request) -> bool:
    media_type = request.get("content-type") or ""
    return media_type == "application/grpc" or media_type.startswith("application/grpc+")


def as_grpc(step: Step) -> Step:
    """The step with the mesh's own answers as a gRPC client gets them."""
    outcome = step.outcome
    branches = tuple(as_grpc(branch) for branch in step.branches)
    if outcome is None or outcome.kind != MESH or outcome.status is None:
        return replace(step, branches=branches)
    note = "a gRPC client gets status 200"
    if outcome.status != 200:
        note += f", and grpc-status {_STATUS.get(outcome.status, _UNKNOWN)}"
    reply = replace(outcome, status=200, body="")
    return replace(step, branches=branches, outcome=reply, notes=(*step.notes, note))
