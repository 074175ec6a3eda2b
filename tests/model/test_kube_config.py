"""Secrets that are refused."""

from __future__ import annotations

from tests.model.conftest import Refusal


def test_a_secret_that_is_not_base64(refusal: Refusal) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  token: s3cret!\n"
    assert refusal(text) == [
        "f.yaml:5: Secret s: data.token: is not base64; "
        "wanted base64, or plain text under stringData"
    ]
