"""The contract of ``meshproof.mesh.Mesh`` on the mesh of this session, whichever it is."""

from __future__ import annotations

import pytest

from meshproof.mesh import Mesh
from tests.contract import cases

pytestmark = pytest.mark.proxy


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_contract(mesh: Mesh, case: cases.Case) -> None:
    case(mesh)
