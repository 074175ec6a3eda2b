"""Texts that Envoy would refuse are refused with a line."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from meshproof.model import texts


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (texts.Host, ["a", "*", "*.a.b", "a_b.c", "10.0.0.1", "2001:db8::1", "a."],
         ["", "a b", "a..b", "*a", "a*", "a\nb", "x" * 64, "a/b"]),
        (texts.GatewayHost, ["a", "*/a", "./*.a", "shop/a"], ["Shop/a", "a/b/c d", "/a", ""]),
        (texts.Address, ["a.b", "10.0.0.0/8", "fe80::1"], ["", "a b", "*.a", "10.0.0.0/x"]),
        (texts.Service, ["a.b", "*.a", "10.0.0.0/8"], ["a b", ""]),
        (texts.Domain, ["a", "svc.cluster.local"], ["", "*", "a..b", "a.", "*.a"]),
        (texts.Label, ["a", "a-b"], ["a.b", "", "-a", "x" * 64]),
        (texts.HeaderName, ["x-a", ":path", "X_b"], ["", "a b", "é", "a:b"]),
        (texts.Line, ["", "a b", "é"], ["a\nb", "\0", "a\rb"]),
        (texts.HeaderValue, ["a", "100%%", "%REQ(:authority)%", "%RESPONSE_CODE%", "%REQ(X?Y):5%"],
         ["100%", "%", "%NOTHING%", "%REQ()%", "%REQ%", "%%%", "a\nb"]),
    ],
)  # fmt: skip
def test_what_is_taken(kind: Any, good: list[str], bad: list[str]) -> None:
    adapter = TypeAdapter(kind)
    assert [adapter.validate_python(text) for text in good] == good
    for text in bad:
        with pytest.raises(ValueError, match="wanted"):
            adapter.validate_python(text)
