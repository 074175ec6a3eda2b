"""docs/own-app.md and the shop's README, executed: every output is as shown."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tools.doc_runner.document import parse
from tools.doc_runner.run import walk
from tools.doc_runner.session import Session

pytestmark = pytest.mark.nightly


ROOT = Path(__file__).parents[1]
SHOP = ROOT / "examples" / "shop"
NOT_COPIED = shutil.ignore_patterns("artifacts", "__pycache__", ".pytest_cache")


@pytest.mark.skipif(os.environ.get("MESH", "embedded") != "embedded", reason="brings up its own")
@pytest.mark.parametrize("page", ["examples/shop/README.md", "docs/own-app.md"])
def test_the_page_is_true(page: str, tmp_path: Path) -> None:
    """Each in a copy of the shop: the second page writes the project file itself."""
    shop = Path(shutil.copytree(SHOP, tmp_path / "shop", ignore=NOT_COPIED))
    document = parse((ROOT / page).read_text(encoding="utf-8"), page)
    with Session(shop) as session:
        failures = [str(f) for f in walk(document, session, "embedded", within=900.0)]
    assert not failures, "\n\n".join(failures)
