"""What Istio's webhook only warns of is a warning here too."""

from __future__ import annotations

from meshproof.cli.check import CheckResult, check_alone
from tests.lint.conftest import Lint
from tests.lint.problems import check_only

RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: svcb, namespace: default}
spec:
  host: svcb
  trafficPolicy:
    loadBalancer:
      consistentHash: {useSourceIp: true, minimumRingSize: 5}
"""
FIELD = "spec.trafficPolicy.loadBalancer.consistentHash.minimumRingSize"


def test_a_deprecated_field(lint: Lint) -> None:
    check_only(lint(RULE), FIELD, "deprecated", "ringHash.minimumRingSize")


def test_a_file_that_is_checked_alone() -> None:
    result = CheckResult()
    check_alone(result, [("f.yaml", RULE)], "")
    (finding,) = result.findings
    assert (finding.level, finding.problem.rule) == ("warning", "istio-warning")
    assert (finding.problem.line, finding.problem.field) == (8, FIELD)
