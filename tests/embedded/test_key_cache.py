"""When keys of tokens are asked for, and what happens where they cannot be had."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from meshproof.embedded.token_keys.key_cache import KeyCache, Times
from meshproof.embedded.token_keys.key_client import FetchError
from meshproof.model.jwks import KeySource
from tests.translate.policy_builders import JWKS

KEYS = KeySource("i.test", "https://keys.test/k")
ISSUER = KeySource("https://i.test", "")
CONFIGURATION = "https://i.test/.well-known/openid-configuration"
OTHER = JWKS.replace('"one"', '"two"')
SOON = Times(refresh=0.03, after_failure=0.03, retry=0.001, evict=60)


class Web:
    """What each URL answers; the URLs that were asked. A URL without a page fails."""

    def __init__(self, **pages: str) -> None:
        self.pages: Mapping[str, str] = pages
        self.requests: list[str] = []

    async def fetch(self, url: str, timeout: float) -> str:
        self.requests.append(url)
        if url not in self.pages:
            raise FetchError(f"{url} answered 404 within {timeout:g} s")
        return self.pages[url]


def test_a_source_is_asked_once_and_its_keys_are_kept() -> None:
    web = Web(**{KEYS.uri: JWKS})
    cache = KeyCache(web.fetch)

    async def run() -> None:
        assert await cache.resolve({KEYS: None}) == {}
        assert await cache.resolve({KEYS: 1.0}) == {}

    asyncio.run(run())
    assert (cache.keys, web.requests) == ({KEYS: JWKS}, [KEYS.uri])


def test_an_issuer_names_the_uri_of_its_keys() -> None:
    web = Web(**{CONFIGURATION: json.dumps({"jwks_uri": KEYS.uri}), KEYS.uri: JWKS})
    cache = KeyCache(web.fetch)
    assert asyncio.run(cache.resolve({ISSUER: None})) == {}
    assert (cache.keys, web.requests) == ({ISSUER: JWKS}, [CONFIGURATION, KEYS.uri])


def test_why_there_are_no_keys() -> None:
    web = Web(**{KEYS.uri: "<html>", CONFIGURATION: "{}"})
    cache = KeyCache(web.fetch)
    absent = KeySource("gone.test", "http://gone.test/k")
    failures = asyncio.run(cache.resolve({KEYS: None, ISSUER: None, absent: 2.0}))
    assert cache.keys == {}
    assert failures[absent] == "http://gone.test/k answered 404 within 2 s"
    assert failures[ISSUER] == f"{CONFIGURATION} names no jwks_uri"
    assert failures[KEYS].startswith("https://keys.test/k is not a JSON web key set")


async def _keep_fresh(cache: KeyCache, until_changes: int = 1) -> None:
    """Let the cache refresh itself until it reports changes."""
    changed = asyncio.Event()
    count = 0

    def on_change() -> None:
        nonlocal count
        count += 1
        if count == until_changes:
            changed.set()

    task = asyncio.create_task(cache.keep_fresh(on_change))
    try:
        await asyncio.wait_for(changed.wait(), 20)
    finally:
        task.cancel()


def test_a_source_that_comes_up_late_is_asked_again_at_once() -> None:
    web = Web()
    cache = KeyCache(web.fetch, times=Times(retry=0.001))

    async def run() -> None:
        assert KEYS in await cache.resolve({KEYS: None})
        asyncio.get_running_loop().call_later(0.003, web.__setattr__, "pages", {KEYS.uri: JWKS})
        await _keep_fresh(cache)

    asyncio.run(run())
    assert cache.keys == {KEYS: JWKS}


def test_a_source_that_stays_away_is_asked_eight_times_and_with_the_next_change() -> None:
    web = Web()
    cache = KeyCache(web.fetch, times=Times(retry=0.0))

    async def run() -> None:
        await cache.resolve({KEYS: None})
        task = asyncio.create_task(cache.keep_fresh(lambda: None))
        async with asyncio.timeout(300):
            while len(web.requests) < 9:
                await asyncio.sleep(0)
        for _ in range(20):  # nothing more comes of it
            await asyncio.sleep(0)
        assert len(web.requests) == 1 + 8
        web.pages = {KEYS.uri: JWKS}
        assert await cache.resolve({KEYS: None}) == {}
        task.cancel()

    asyncio.run(run())
    assert cache.keys == {KEYS: JWKS}


def test_new_keys_replace_the_old_ones() -> None:
    web = Web(**{KEYS.uri: JWKS})
    cache = KeyCache(web.fetch, times=SOON)

    async def run() -> None:
        await cache.resolve({KEYS: None})
        web.pages = {KEYS.uri: OTHER}
        await _keep_fresh(cache)

    asyncio.run(run())
    assert cache.keys == {KEYS: OTHER}


def test_old_keys_stay_while_their_source_is_away() -> None:
    web = Web(**{KEYS.uri: JWKS})
    cache = KeyCache(web.fetch, times=SOON)

    async def run() -> None:
        await cache.resolve({KEYS: None})
        web.pages = {}
        task = asyncio.create_task(cache.keep_fresh(lambda: None))
        async with asyncio.timeout(300):
            while len(web.requests) < 1 + 8:
                await asyncio.sleep(0.001)  # the cache runs by the clock
        task.cancel()

    asyncio.run(run())
    assert cache.keys == {KEYS: JWKS}


def test_keys_that_nobody_needs_are_dropped_in_the_end() -> None:
    web = Web(**{KEYS.uri: JWKS})
    clock = [0.0]
    cache = KeyCache(web.fetch, times=Times(refresh=-1, evict=100), now=lambda: clock[0])

    async def run() -> None:
        await cache.resolve({KEYS: None})
        clock[0] = 101.0
        await _keep_fresh(cache)

    asyncio.run(run())
    assert cache.keys == {}
