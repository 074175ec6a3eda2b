"""docs/tutorial.md to the letter: every command runs, every output is as shown.

On meshes of its own, beside the suite's; ``MESH`` says of which kind.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.doc_runner.document import parse
from tools.doc_runner.run import walk
from tools.doc_runner.session import Session

pytestmark = pytest.mark.long


ROOT = Path(__file__).parents[1]
FILE = "docs/tutorial.md"
WITHIN = 900.0
"""Seconds that one command may take: on a cluster the first one makes it."""


def test_the_tutorial_is_true() -> None:
    tutorial = parse((ROOT / FILE).read_text(encoding="utf-8"), FILE)
    with Session(ROOT) as session:
        kind = os.environ.get("MESH", "embedded")
        failures = [str(f) for f in walk(tutorial, session, kind, within=WITHIN)]
    assert not failures, "\n\n".join(failures)
