"""What is encoded once is kept, and what is kept is bounded."""

from __future__ import annotations

import pytest

from meshproof.embedded import xds
from meshproof.translate.world import Resource


def cluster(number: int) -> Resource:
    return {"name": f"c{number}", "type": "EDS", "connect_timeout": "1s"}


def test_equal_resources_are_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xds, "_cache", xds._Cache())
    assert xds.encode(xds.CLUSTERS, cluster(1)) is xds.encode(xds.CLUSTERS, cluster(1))


def test_a_thousand_changes_do_not_grow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = xds._Cache()
    monkeypatch.setattr(xds, "_cache", cache)
    monkeypatch.setattr(xds, "CACHE_LIMIT", 10_000)
    for number in range(1000):
        xds.encode(xds.CLUSTERS, cluster(number))
        assert cache.size < 11_000
    assert sum(len(k[1]) + len(e.data) for k, e in cache.items()) == cache.size
