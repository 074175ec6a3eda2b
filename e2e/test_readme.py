"""README.md, executed: every output is as shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.doc_runner.document import parse
from tools.doc_runner.run import walk
from tools.doc_runner.session import Session

pytestmark = pytest.mark.long


ROOT = Path(__file__).parents[1]


def test_the_readme_is_true() -> None:
    readme = parse((ROOT / "README.md").read_text(encoding="utf-8"), "README.md")
    with Session(ROOT) as session:
        kind = os.environ.get("MESH", "embedded")
        failures = [str(f) for f in walk(readme, session, kind, within=900.0)]
    assert not failures, "\n\n".join(failures)
