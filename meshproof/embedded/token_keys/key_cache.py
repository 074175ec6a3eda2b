"""The cache of fetched keys, with istiod's times (pilot/pkg/model/jwks_resolver.go).

A source that a rule names for the first time is asked once, before the rule goes live. Where that
fails, it is asked again in the background, eight times, a second apart. Every source is asked again
each 20 minutes; after a failure each minute at first, then ever less often. Keys stay while their
source does not answer, for a week.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from meshproof.embedded.token_keys.key_client import FetchError
from meshproof.model.jwks import KeySource, check_jwks

_log = logging.getLogger("meshproof")
Fetch = Callable[[str, float], Awaitable[str]]
"""A URL and the seconds that it may take -> the body. Raises FetchError."""
TIMEOUT = 5.0
"""Seconds for an answer, where a rule does not say."""


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds; all are istiod's, and only tests take others."""

    refresh: float = 20 * 60
    after_failure: float = 60
    longest_after_failure: float = 60 * 60
    retry: float = 1
    retries: int = 7
    evict: float = 7 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class _Entry:
    keys: str
    """Empty until they were fetched once."""
    timeout: float
    fetched: float
    used: float


class KeyCache:
    """Use it in the event loop of the mesh."""

    def __init__(
        self,
        fetch: Fetch,
        *,
        times: Times | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch, self._now = fetch, now
        self._times = times or Times()
        self._entries: dict[KeySource, _Entry] = {}
        self._failed = asyncio.Event()

    @property
    def keys(self) -> Mapping[KeySource, str]:
        """The key sets that there are; a new mapping each time."""
        return {source: e.keys for source, e in self._entries.items() if e.keys}

    async def resolve(self, sources: Mapping[KeySource, float | None]) -> dict[KeySource, str]:
        """Ask every source that was not asked before; the value is the seconds that it may take.

        Returns why there are no keys of those that failed: ``keep_fresh`` tries them again.
        """
        now = self._now()
        new = {s: t or TIMEOUT for s, t in sources.items() if s not in self._entries}
        for source in sources.keys() & self._entries.keys():
            entry = self._entries[source]
            self._entries[source] = replace(entry, used=now, timeout=sources[source] or TIMEOUT)
        reasons = await asyncio.gather(*(self._first(s, t, now) for s, t in new.items()))
        failures = {s: r for s, r in zip(new, reasons, strict=True) if r}
        if failures:
            self._failed.set()
        return failures

    async def _first(self, source: KeySource, timeout: float, now: float) -> str:
        keys, reason = "", ""
        try:
            keys = await self._ask(source, timeout)
        except FetchError as error:
            reason = str(error)
        self._entries[source] = _Entry(keys, timeout, now, now)
        return reason

    async def _ask(self, source: KeySource, timeout: float, retries: int = 0) -> str:
        """The key set of a source. Raises FetchError."""
        for _ in range(retries):
            try:
                return await self._ask_once(source, timeout)
            except FetchError:
                await asyncio.sleep(self._times.retry)  # the interval is Istio's
        return await self._ask_once(source, timeout)

    async def _ask_once(self, source: KeySource, timeout: float) -> str:
        uri = source.uri or await self._discover(source, timeout)
        return check_keys(uri, await self._fetch(uri, timeout))

    async def _discover(self, source: KeySource, timeout: float) -> str:
        """``jwks_uri`` of the issuer's OpenID configuration."""
        body = await self._fetch(source.url, timeout)
        try:
            uri = json.loads(body)["jwks_uri"]
        except (ValueError, KeyError, TypeError):
            uri = None
        if not isinstance(uri, str):
            raise FetchError(f"{source.url} names no jwks_uri")
        return uri

    async def keep_fresh(self, on_change: Callable[[], None]) -> None:
        """Ask again when it is due, until cancelled; ``on_change`` is called after new keys."""
        times = self._times
        interval, due = times.refresh, self._now() + times.refresh
        while True:
            missing_only = await self._failed_before(due)
            failed, changed = await self._refresh(missing_only=missing_only)
            if changed:
                on_change()
            if missing_only:
                continue
            if not failed:
                interval = times.refresh
            elif interval == times.refresh:
                interval = times.after_failure
            else:
                interval = min(2 * interval, times.longest_after_failure)
            due = self._now() + interval

    async def _failed_before(self, due: float) -> bool:
        """Whether a first request failed before it is time to refresh all."""
        try:
            await asyncio.wait_for(self._failed.wait(), max(0.0, due - self._now()))
        except TimeoutError:
            return False
        self._failed.clear()
        return True

    async def _refresh(self, *, missing_only: bool) -> tuple[bool, bool]:
        """Whether a source failed, and whether keys changed."""
        due = {s: e for s, e in self._entries.items() if not (missing_only and e.keys)}
        results = await asyncio.gather(*(self._again(s, e) for s, e in due.items()))
        return any(failed for failed, _ in results), any(changed for _, changed in results)

    async def _again(self, source: KeySource, entry: _Entry) -> tuple[bool, bool]:
        now = self._now()
        if now - min(entry.used, entry.fetched) >= self._times.evict:
            self._entries.pop(source, None)
            return False, bool(entry.keys)
        try:
            keys = await self._ask(source, entry.timeout, self._times.retries)
        except FetchError as error:
            _log.warning("keys of tokens: %s", error)
            if not entry.keys:  # the next change asks again
                self._entries.pop(source, None)
            return True, False
        current = self._entries.get(source, entry)
        self._entries[source] = replace(current, keys=keys, fetched=now)
        return False, not _is_same(entry.keys, keys)


def check_keys(uri: str, body: str) -> str:
    """Return ``body`` if it is a key set that Envoy can use. Raises FetchError."""
    try:
        return check_jwks(body)
    except ValueError as error:
        raise FetchError(f"{uri} {error}") from None


def _is_same(before: str, after: str) -> bool:
    return before == after or (bool(before) and json.loads(before) == json.loads(after))
