"""Texts that Envoy would refuse are refused with a line."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from meshproof.model import string_types


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (string_types.Host, ["a", "*", "*.a.b", "*a.b", "*-a", "a_b", "10.0.0.1",
          "2001:db8::1", "a."],
         ["", "a b", "a..b", "**a", "a*", "a\nb", "x" * 64, "a/b"]),
        (string_types.GatewayHost, ["a", "*/a", "./*.a", "shop/a"],
         ["Shop/a", "a/b/c d", "/a", ""]),
        (string_types.Address, ["a.b", "10.0.0.0/8", "fe80::1"], ["", "a b", "*.a", "10.0.0.0/x"]),
        (string_types.Service, ["a.b", "*.a", "10.0.0.0/8"], ["a b", ""]),
        (string_types.Domain, ["a", "svc.cluster.local"], ["", "*", "a..b", "a.", "*.a"]),
        (string_types.Label, ["a", "a-b"], ["a.b", "", "-a", "x" * 64]),
        (string_types.HeaderName, ["x-a", ":path", "X_b"], ["", "a b", "é", "a:b"]),
        (string_types.Line, ["", "a b", "é"], ["a\nb", "\0", "a\rb"]),
        (string_types.HeaderValue,
         ["a", "100%%", "%REQ(:authority)%", "%RESPONSE_CODE%", "%REQ(X?Y)%"],
         ["100%", "%", "%NOTHING%", "%REQ()%", "%REQ%", "%%%", "%REQ(X):5%", "a\nb"]),
    ],
)  # fmt: skip
def test_what_is_taken(kind: Any, good: list[str], bad: list[str]) -> None:
    adapter = TypeAdapter(kind)
    assert [adapter.validate_python(text) for text in good] == good
    for text in bad:
        with pytest.raises(ValueError, match="wanted"):
            adapter.validate_python(text)
