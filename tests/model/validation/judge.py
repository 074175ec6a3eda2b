"""What the rules say of one document: errors and warnings as ``field: message``."""

from __future__ import annotations

import yaml

from meshproof.model.validation.rules import find_violations
from meshproof.sources.location import dotted

_GROUPS = {"AuthorizationPolicy": "security", "PeerAuthentication": "security"}
_GROUPS |= {"RequestAuthentication": "security", "Telemetry": "telemetry"}
_GROUPS |= {"WasmPlugin": "extensions"}


def judge(kind: str, spec: str, *, warnings: bool = False, more: str = "") -> list[str]:
    """``spec`` and ``more`` (of the metadata) are YAML in flow style."""
    group = _GROUPS.get(kind, "networking")
    text = f"apiVersion: {group}.istio.io/v1\nkind: {kind}\nmetadata: {{name: x{more}}}\n"
    document = yaml.safe_load(f"{text}spec: {spec}\n")
    return [
        f"{dotted(v.path).removeprefix('spec.')}: {v.found}"
        for v in find_violations(document)
        if v.warning == warnings
    ]


def check(kind: str, spec: str, field: str, message: str, *, warnings: bool = False) -> None:
    """``spec`` has one violation, at ``field`` (below ``spec``)."""
    (text,) = judge(kind, spec, warnings=warnings)
    assert text.startswith(f"{field}: ")
    assert message in text
