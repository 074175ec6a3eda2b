"""docs/testing-your-rules.md, executed in an empty folder: files, tests, pytest-xdist."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.doc_runner.document import parse
from tools.doc_runner.run import walk
from tools.doc_runner.session import Session

pytestmark = pytest.mark.long


PAGE = "docs/testing-your-rules.md"


@pytest.mark.skipif(os.environ.get("MESH", "embedded") != "embedded", reason="brings up its own")
def test_the_page_is_true(tmp_path: Path) -> None:
    document = parse((Path(__file__).parents[1] / PAGE).read_text(encoding="utf-8"), PAGE)
    with Session(tmp_path) as session:
        failures = [str(f) for f in walk(document, session, "embedded", within=900.0)]
    assert not failures, "\n\n".join(failures)
