"""ServiceEntries that no workload sees."""

from __future__ import annotations

import pytest

from tests.lint.findings import findings_of


def entry(export: str) -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: e}}
spec:
  hosts: [msgd.test]
  resolution: DNS
  ports: [{{number: 80, name: http, protocol: HTTP}}]
  {export}
"""


def test_an_entry_that_nobody_sees() -> None:
    (problem,) = findings_of(entry("exportTo: [empty]"), "serviceentry-invisible")
    assert problem.field == "spec.exportTo"
    assert "exported to empty alone" in problem.found


@pytest.mark.parametrize("export", ["", "exportTo: [.]", 'exportTo: ["*"]', "exportTo: [other]"])
def test_an_entry_that_somebody_sees(export: str) -> None:
    assert findings_of(entry(export), "serviceentry-invisible") == []
