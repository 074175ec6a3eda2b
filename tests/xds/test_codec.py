"""What is encoded once is kept, and what is kept is bounded."""

from __future__ import annotations

import pytest

from meshproof.translate.world import Resource
from meshproof.xds import codec


def cluster(number: int) -> Resource:
    return {"name": f"c{number}", "type": "EDS", "connect_timeout": "1s"}


def test_equal_resources_are_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_cache", codec._Cache())
    assert codec.encode(codec.CLUSTERS, cluster(1)) is codec.encode(codec.CLUSTERS, cluster(1))


def test_a_thousand_changes_do_not_grow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = codec._Cache()
    monkeypatch.setattr(codec, "_cache", cache)
    monkeypatch.setattr(codec, "CACHE_LIMIT", 10_000)
    for number in range(1000):
        codec.encode(codec.CLUSTERS, cluster(number))
        assert cache.size < 11_000
    assert sum(len(k[1]) + len(e.data) for k, e in cache.items()) == cache.size
