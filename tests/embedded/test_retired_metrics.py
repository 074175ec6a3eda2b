"""Metrics of replicas that have ended."""

from __future__ import annotations

import pytest

from meshproof.embedded import retired_metrics
from meshproof.embedded.retired_metrics import RetiredMetrics
from meshproof.telemetry.prometheus import Families, add


def test_the_newest_that_ended_are_remembered_by_their_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retired_metrics, "MAX_REPLICAS", 2)
    retired = RetiredMetrics()
    for number in range(3):
        page: Families = {}
        add(page, f"# TYPE n_total counter\nn_total {number}\n# TYPE now gauge\nnow 1\n")
        retired.keep("shop", f"pod-{number}", "127.0.0.9", page)
    assert list(retired.pages()) == ["pod-1", "pod-2"]
    assert retired.forgotten == 1
    namespace, ip, families = retired.pages()["pod-2"]
    assert (namespace, ip, list(families)) == ("shop", "127.0.0.9", ["n_total"])
