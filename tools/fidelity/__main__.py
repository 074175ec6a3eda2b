"""``python -m tools.fidelity``: docs/fidelity.md on standard output."""

from __future__ import annotations

from tools.fidelity.page import render

print(render(), end="")
