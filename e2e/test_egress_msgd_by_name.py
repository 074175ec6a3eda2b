"""The same by msgd's name, which the rule for its address does not allow."""

from __future__ import annotations

import pytest

from e2e.payments.egress_phases import Phases
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments
from meshproof.mesh import Mesh, Source

pytestmark = pytest.mark.proxy

RULE = RULES / "egress_msgd_by_name.yaml"
BY_NAME = {"MSGD_URL": "http://msgd.test:9997"}


def test_closed_open_closed(mesh: Mesh, phases: Phases) -> None:
    mesh.apply([Source("manifests/ with msgd by name", deployments("svcb", BY_NAME))])
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    phases.blocked("with the rule for its address")
    mesh.apply([RULE])
    phases.allowed("with the rule for its name")
    mesh.delete([RULE])
    phases.blocked("after")
