"""docs/pods.md, executed: every output is as shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meshproof.embedded.pod_mode import runs_pods
from meshproof.host import pod_trial
from tools.doc_runner.document import parse
from tools.doc_runner.run import walk
from tools.doc_runner.session import Session

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
FILE = "docs/pods.md"


@pytest.mark.skipif(os.environ.get("MESH", "embedded") != "embedded", reason="brings up its own")
def test_the_page_is_true() -> None:
    if not runs_pods(os.environ):
        pytest.skip(f"about pods, and there are none: {pod_trial.find_problem() or 'asked for'}")
    document = parse((ROOT / FILE).read_text(encoding="utf-8"), FILE)
    with Session(ROOT) as session:
        failures = [str(f) for f in walk(document, session, "embedded", within=900.0)]
    assert not failures, "\n\n".join(failures)
