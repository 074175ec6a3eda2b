"""What is scraped of a mesh: where apps say what they count, who does not answer, who has ended."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.embedded.telemetry import retired_metrics, scraping
from meshproof.embedded.telemetry.retired_metrics import RetiredMetrics
from meshproof.embedded.telemetry.scrape_targets import Target, page_of_all, text_of
from meshproof.embedded.telemetry.scraping import App, app_of
from meshproof.errors import MeshproofError
from meshproof.model.reader import read_text
from meshproof.telemetry.prometheus import Families, add
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


def runner(annotations: str, ports: tuple[tuple[str, int], ...] = (("http", 8080),)) -> Any:
    (deployment,) = read_text(DEPLOYMENT.replace("ANNOTATIONS", annotations), "shop.yaml")
    return SimpleNamespace(
        workload=SimpleNamespace(deployment=deployment, ports=ports),
        app_address=lambda port: Address(ip="127.0.0.9", port=port),
    )


@pytest.mark.parametrize(
    ("annotations", "wanted"),
    [
        ("{}", None),
        ('{prometheus.io/scrape: "false", prometheus.io/port: "9"}', None),
        ('{prometheus.io/scrape: "true"}', (8080, "/metrics")),
        ('{prometheus.io/scrape: "true", prometheus.io/port: "9"}', (9, "/metrics")),
        ('{prometheus.io/scrape: "true", prometheus.io/path: stats}', (8080, "/stats")),
    ],
)
def test_annotations_say_where_an_app_counts(
    annotations: str, wanted: tuple[int, str] | None
) -> None:
    app = app_of(runner(annotations))
    expected = wanted and App(Address(ip="127.0.0.9", port=wanted[0]), wanted[1])
    assert app == expected


def page(text: str) -> Families:
    families: Families = {}
    add(families, text)
    return families


def target(pod: str, text: str | None) -> Target:
    async def read() -> Families:
        if text is None:
            raise MeshproofError(f"the Envoy of {pod} does not answer")
        return page(text)

    return Target("shop", pod, f"{pod}:15020", read)


def test_a_pod_that_does_not_answer_is_left_out_of_a_scrape_and_said() -> None:
    both = [target("a", "# TYPE n counter\nn 1\n"), target("b", None)]
    text = asyncio.run(page_of_all(both, openmetrics=False))
    assert 'n{namespace="shop",pod="a"} 1' in text
    assert f'{scraping.UP}{{namespace="shop",pod="b",part="sidecar"}} 0' in text


def test_whoever_asks_for_evidence_is_told() -> None:
    with pytest.raises(MeshproofError, match="the Envoy of b does not answer"):
        asyncio.run(text_of([target("a", "n 1\n"), target("b", None)]))


def test_an_app_that_does_not_answer_is_said_and_its_sidecar_counts() -> None:
    async def admin(_path: str) -> bytes:
        return b"# TYPE envoy_istio_requests_total counter\nenvoy_istio_requests_total{} 3\n"

    envoy: Any = SimpleNamespace(admin=admin)
    nobody = App(Address(path="/nowhere/socket"), "/metrics")
    found = asyncio.run(scraping.page(envoy, nobody))
    assert found["istio_requests_total"].samples == [("istio_requests_total", "", "3")]
    assert found[scraping.UP].samples == [(scraping.UP, 'part="app"', "0")]


def test_the_newest_that_ended_are_remembered_by_their_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retired_metrics, "MOST", 2)
    kept = RetiredMetrics()
    for number in range(3):
        text = f"# TYPE n_total counter\nn_total {number}\n# TYPE now gauge\nnow 1\n"
        kept.keep("shop", f"pod-{number}", "127.0.0.9", page(text))
    assert list(kept.pages()) == ["pod-1", "pod-2"]
    assert kept.forgotten == 1
    namespace, ip, families = kept.pages()["pod-2"]
    assert (namespace, ip, list(families)) == ("shop", "127.0.0.9", ["n_total"])
