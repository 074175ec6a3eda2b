"""Prometheus text of many pods as one."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(\{([^}]*)\})? (.+)$")


def merged(texts: Mapping[str, str]) -> str:
    """Pod -> Prometheus text, as one text whose samples say of which pod they are."""
    families: dict[str, list[str]] = {}
    for pod, text in texts.items():
        kind = ""
        for line in text.splitlines():
            if line.startswith("# TYPE"):
                kind = line
                families.setdefault(kind, [])
            elif found := _SAMPLE.match(line):
                name, _, labels, value = found.groups()
                label = f'pod="{pod}"' + (f",{labels}" if labels else "")
                families.setdefault(kind, []).append(f"{name}{{{label}}} {value}")
    lines = [part for kind, samples in families.items() for part in (kind, *samples)]
    return "\n".join(lines) + "\n"
