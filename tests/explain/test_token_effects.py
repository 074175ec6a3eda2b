"""What becomes of a request whose token is taken, as an Envoy of ours did it."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.explain.request import Request
from meshproof.explain.token_effects import (
    TokenOfRequest,
    with_token_taken,
    without_claim_headers,
    without_parameter,
)

REQUEST = Request("GET", "http", "a", "/", (("authorization", "Bearer h.p.s"), ("x-sub", "fake")))
TOKEN = TokenOfRequest("h.p.s", lambda request: request.without("authorization"))


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("me", "me"), (True, "true"), (False, "false"), (12345678, "12345678"),
        (-3, "-3.000000"), (1.5, "1.500000"), (12345678901234567, "12345678901234568"),
        ("", None), (None, None), (["a", "b?>"], "WyJhIiwiYj9cdTAwM2UiXQ=="),
    ],
)  # fmt: skip
def test_a_claim_in_a_header(claim: Any, value: str | None) -> None:
    provider = {"claim_to_headers": [{"header_name": "x-claim", "claim_name": "c"}]}
    assert with_token_taken(provider, REQUEST, TOKEN, {"c": claim}).get("x-claim") == value


def test_dots_lead_into_a_claim() -> None:
    provider = {"claim_to_headers": [{"header_name": "x-claim", "claim_name": "a.b"}]}
    for claims in ({"a": {"b": "c"}}, {"a.b": "c"}):
        assert with_token_taken(provider, REQUEST, TOKEN, claims).get("x-claim") == "c"
    assert with_token_taken(provider, REQUEST, TOKEN, {"a": "b"}).get("x-claim") is None


def test_a_token_goes_no_further_unless_it_is_forwarded() -> None:
    assert with_token_taken({}, REQUEST, TOKEN, {}).get("authorization") is None
    assert with_token_taken({"forward": True}, REQUEST, TOKEN, {}).get("authorization")
    payload = with_token_taken({"forward_payload_header": "x-p"}, REQUEST, TOKEN, {}).get("x-p")
    assert payload == "p"


def test_no_client_speaks_of_claims() -> None:
    provider = {"claim_to_headers": [{"header_name": "x-sub", "claim_name": "sub"}]}
    assert without_claim_headers(provider, REQUEST).get("x-sub") is None


@pytest.mark.parametrize(
    ("path", "rest"), [("/?t=1", "/"), ("/a?x=1&t=1&y=2", "/a?x=1&y=2"), ("/a?tt=1", "/a?tt=1")]
)
def test_a_parameter_that_held_the_token_is_gone(path: str, rest: str) -> None:
    assert without_parameter(Request("GET", "http", "a", path), "t").path == rest
