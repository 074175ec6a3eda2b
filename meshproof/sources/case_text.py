"""Whether a YAML text holds cases of ``meshproof test``: such files may stand beside rules."""

from __future__ import annotations

import re

_CASES = re.compile(r"^(cases|testCases)[ \t]*:", re.MULTILINE)
_OBJECT = re.compile(r"^(kind|apiVersion)[ \t]*:", re.MULTILINE)


def is_case_text(text: str) -> bool:
    """``cases:`` (or istio-config-validator's ``testCases:``) at top level, and no ``kind:``."""
    return bool(_CASES.search(text)) and not _OBJECT.search(text)
