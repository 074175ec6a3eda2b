"""docs/kind.md is held to the code: settings, versions, make targets are checked elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from meshproof.cluster import settings
from tests.fakes.cluster_machine import ROOT

PAGE = (ROOT / "docs" / "kind.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_table_and_no_other() -> None:
    source = Path(settings.__file__).read_text(encoding="utf-8")
    names = set(re.findall(r"read\.\w+\(\"([A-Z_]+)\"", source))
    table = PAGE.partition("## Settings")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert set(re.findall(r"`([A-Z_]+)`", " ".join(rows))) == names | {"MESH"}


def test_the_limit_of_down_is_the_one_told() -> None:
    from meshproof.cluster.mesh import ClusterMesh

    assert f"up to {ClusterMesh.end_limit / 60:.0f} minutes" in PAGE
