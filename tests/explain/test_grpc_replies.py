"""The mesh's own answers as a gRPC client gets them; an Envoy of ours gave these."""

from __future__ import annotations

import pytest

from meshproof.explain.grpc_replies import as_grpc, is_grpc
from meshproof.explain.request import Request
from meshproof.explain.result import APP, CLOSED, MESH, Outcome, Step


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("application/grpc", True),
        ("application/grpc+proto", True),
        ("application/grpc-web", False),
        ("application/grpc;x=1", False),
        ("text/plain", False),
    ],
)
def test_what_is_grpc(media_type: str, expected: bool) -> None:
    request = Request("POST", "http", "a", "/", (("content-type", media_type),))
    assert is_grpc(request) is expected
    assert not is_grpc(Request("POST", "http", "a", "/"))


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (503, ", and grpc-status 14"), (502, ", and grpc-status 14"), (403, ", and grpc-status 7"),
        (401, ", and grpc-status 16"), (404, ", and grpc-status 12"), (418, ", and grpc-status 2"),
        (200, ""),
    ],
)  # fmt: skip
def test_any_status_of_the_mesh_is_200(status: int, text: str) -> None:
    leaf = Step(0.5, "", "", outcome=Outcome(MESH, "why", status, body="text"))
    (result,) = as_grpc(Step(1.0, "a", "", branches=(leaf,))).branches
    assert result.outcome == Outcome(MESH, "why", 200)
    assert result.notes == (f"a gRPC client gets status 200{text}",)


@pytest.mark.parametrize("kind", [APP, CLOSED])
def test_what_others_answer_stays(kind: str) -> None:
    step = Step(1.0, "", "", outcome=Outcome(kind, "why"))
    assert as_grpc(step) == step
