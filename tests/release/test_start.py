"""A release finds its service by name, and refuses a journal that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import MeshproofError, UsageError
from meshproof.release import start
from meshproof.release.journal import Journal
from meshproof.release.state import Plan

PLAN = Plan("svcb", "payments", "", "v0.2", (10, 50, 100))


def test_services_are_found_by_name() -> None:
    titles = ["Service payments/svcb", "Service shop/svca", "Service payments/svca"]
    assert start.locate("svcb", titles) == ("payments", "svcb")
    assert start.locate("shop/svca", titles) == ("shop", "svca")
    for name in ("svca", "nope"):
        with pytest.raises(UsageError, match=f"{name}: wanted one Service of that name"):
            start.locate(name, titles)


def test_a_journal_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "release-payments-svcb.json").write_text("{}")
    with pytest.raises(MeshproofError, match=r"release-payments-svcb\.json: is not a release"):
        start.start([], Journal(tmp_path, "payments", "svcb"), PLAN)
