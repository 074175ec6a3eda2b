"""Local rate limits for ports that no Service has."""

from __future__ import annotations

from tests.lint.conftest import Lint
from tests.model.envoy_filters import BARE, FILTER, HEAD, ROUTES


def test_a_rate_limit_s_selector_and_ports(lint: Lint) -> None:
    limit = HEAD.replace("productpage", "svcb") + BARE + ROUTES
    (problem,) = lint(limit)
    assert problem.field == "spec.configPatches[1].match.routeConfiguration.vhost.name"
    assert "inbound|http|9080, and no Service of the selected workloads" in problem.found
    assert problem.wanted == "one of inbound|http|80"
    assert lint(limit.replace("9080", "80")) == []
    (problem,) = lint(HEAD.replace("productpage", "svcx") + FILTER)
    assert problem.field == "spec.workloadSelector"
