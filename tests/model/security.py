"""Policies of security.istio.io, as YAML, and how they are refused."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from meshproof.model.reader import read_text

HEAD = "apiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: p{more}}}\n"
POLICY = "AuthorizationPolicy"
TOKENS = "RequestAuthentication"


def refusal(kind: str, spec: str, more: str = "") -> str:
    """The only problem of ``spec``: its field and message."""
    with pytest.raises(Refused) as caught:
        read_text(HEAD.format(kind=kind, more=more) + f"spec: {spec}\n", "f.yaml")
    (problem,) = caught.value.problems
    assert problem.line > 0
    return f"{problem.field}: {problem.found}"
