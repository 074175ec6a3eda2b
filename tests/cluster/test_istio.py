"""Istio is installed, or expected where ISTIO_SKIP says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import MeshproofError
from tests.fakes.cluster_machine import Machine, mesh_on


def test_istio_that_is_said_to_be_there_is_looked_for(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(MeshproofError, match=r"istiod does not exist.*ISTIO_SKIP"):
        mesh_on(machine, tmp_path, {"ISTIO_SKIP": "1"}).up()
    assert not machine.ran("install -y")
