"""``python -m meshproof.fidelity``: docs/fidelity.md on standard output."""

from __future__ import annotations

from meshproof.fidelity.page import page

print(page(), end="")
