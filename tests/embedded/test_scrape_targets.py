"""Pages of several pods: for a scrape one that does not answer is left out, for evidence not."""

from __future__ import annotations

import asyncio

import pytest

from meshproof.embedded.pod.scraping import UP
from meshproof.embedded.telemetry.scrape_targets import Target, read_all, scrape_all
from meshproof.errors import MeshproofError
from meshproof.telemetry.prometheus import Families, add


def target(pod: str, text: str | None) -> Target:
    async def read() -> Families:
        if text is None:
            raise MeshproofError(f"the Envoy of {pod} does not answer")
        families: Families = {}
        add(families, text)
        return families

    return Target("shop", pod, f"{pod}:15020", read)


def test_a_pod_that_does_not_answer_is_left_out_of_a_scrape_and_said() -> None:
    both = [target("a", "# TYPE n counter\nn 1\n"), target("b", None)]
    text = asyncio.run(scrape_all(both, openmetrics=False))
    assert 'n{namespace="shop",pod="a"} 1' in text
    assert f'{UP}{{namespace="shop",pod="b",part="sidecar"}} 0' in text


def test_whoever_asks_for_evidence_is_told() -> None:
    with pytest.raises(MeshproofError, match="the Envoy of b does not answer"):
        asyncio.run(read_all([target("a", "n 1\n"), target("b", None)]))
