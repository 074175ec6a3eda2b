"""svcb reaches msgd at the tutorial's address only while a rule allows it."""

from __future__ import annotations

import pytest

from e2e.payments.egress_phases import Phases
from e2e.payments.rules import EGRESS_BY_ADDRESS
from meshproof.mesh import Mesh

pytestmark = pytest.mark.proxy


@pytest.mark.parametrize("dialect", EGRESS_BY_ADDRESS)
def test_closed_open_closed(mesh: Mesh, phases: Phases, dialect: str) -> None:
    rule = EGRESS_BY_ADDRESS[dialect]
    phases.blocked("before")
    mesh.apply([rule])
    phases.allowed("with the rule")
    mesh.delete([rule])
    phases.blocked("after")
