"""One pod's page: where apps serve metrics, and an app that does not answer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.embedded.pod.scraping import UP, MetricsEndpoint, find_endpoint, scrape
from meshproof.model.reader import read_text
from meshproof.translate.world import Address

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata:
      labels: {app: shop}
      annotations: ANNOTATIONS
    spec:
      containers:
        - name: shop
          image: shop
"""


def endpoint(annotations: str) -> MetricsEndpoint | None:
    """Of an app with one port, 8080."""
    (deployment,) = read_text(DEPLOYMENT.replace("ANNOTATIONS", annotations), "shop.yaml")
    workload: Any = SimpleNamespace(deployment=deployment, ports=(("http", 8080),))
    return find_endpoint(workload, lambda port: Address(ip="127.0.0.9", port=port))


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ("{}", None),
        ('{prometheus.io/scrape: "false", prometheus.io/port: "9"}', None),
        ('{prometheus.io/scrape: "true"}', (8080, "/metrics")),
        ('{prometheus.io/scrape: "true", prometheus.io/port: "9"}', (9, "/metrics")),
        ('{prometheus.io/scrape: "true", prometheus.io/path: stats}', (8080, "/stats")),
    ],
)
def test_annotations_say_where_an_app_counts(
    annotations: str, expected: tuple[int, str] | None
) -> None:
    assert endpoint(annotations) == (
        expected and MetricsEndpoint(Address(ip="127.0.0.9", port=expected[0]), expected[1])
    )


def test_an_app_that_does_not_answer_is_said_and_its_sidecar_counts() -> None:
    async def admin(_path: str) -> bytes:
        return b"# TYPE envoy_istio_requests_total counter\nenvoy_istio_requests_total{} 3\n"

    envoy: Any = SimpleNamespace(admin=admin)
    nobody = MetricsEndpoint(Address(path="/nowhere/socket"), "/metrics")
    page = asyncio.run(scrape(envoy, nobody))
    assert page["istio_requests_total"].samples == [("istio_requests_total", "", "3")]
    assert page[UP].samples == [(UP, 'part="app"', "0")]
