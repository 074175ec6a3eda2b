"""A search for traces, as Zipkin's ``/api/v2/traces`` takes it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from meshproof.telemetry.span_rows import Row

DAY = 24 * 3600 * 1000
"""Milliseconds: how far a search looks back that does not say."""
LIMIT = 10
MOST = 10_000
Term = tuple[str, str | None]
"""A tag and its value, or None for any; then an annotation's text will do as well."""


class BadQueryError(ValueError):
    """A parameter that cannot be taken; the text names it, and what was wanted."""


@dataclass(frozen=True, slots=True)
class Query:
    """Every condition that is given must hold for a trace: each for some span of ``service``, or
    of any service without one. Times are in microseconds."""

    end: int
    lookback: int
    service: str = ""
    name: str = ""
    remote: str = ""
    terms: tuple[Term, ...] = ()
    shortest: int = 0
    longest: int | None = None
    limit: int = LIMIT

    @staticmethod
    def of(given: Mapping[str, str], now: int) -> Query:
        """``given`` are the parameters of the URL, ``now`` milliseconds since 1970. Raises
        BadQueryError."""
        return Query(
            end=number(given, "endTs", now) * 1000,
            lookback=number(given, "lookback", DAY) * 1000,
            service=_name(given, "serviceName"),
            name=_name(given, "spanName"),
            remote=_name(given, "remoteServiceName"),
            terms=terms(given.get("annotationQuery", "")),
            shortest=number(given, "minDuration", 0),
            longest=number(given, "maxDuration", 0) if given.get("maxDuration") else None,
            limit=min(number(given, "limit", LIMIT), MOST),
        )

    def in_time(self, start: int) -> bool:
        """Whether a trace that began then is looked for."""
        return self.end - self.lookback <= start <= self.end

    def fits(self, rows: Iterable[Row]) -> bool:
        """Whether a trace may be found, as far as its rows tell: the terms are not asked."""
        name = remote = long_enough = False
        for _, _, _, _, service, span_name, span_remote, _, duration, _, _ in rows:
            if self._asks_about(service):
                name = name or span_name.lower() == self.name
                remote = remote or span_remote.lower() == self.remote
                long_enough = long_enough or self._long_enough(duration)
        # ``long_enough`` is False where no span was the service's.
        return long_enough and (name or not self.name) and (remote or not self.remote)

    def _asks_about(self, service: str) -> bool:
        return not self.service or service.lower() == self.service

    def _long_enough(self, duration: int) -> bool:
        return self.shortest <= duration and (self.longest is None or duration <= self.longest)

    def held_by(
        self, service: str, tags: Mapping[str, str], annotations: Collection[str]
    ) -> Iterator[Term]:
        """The terms that a span meets."""
        if self._asks_about(service):
            for key, value in self.terms:
                found = tags.get(key)
                if (found is not None and value in (None, found)) or (
                    value is None and key in annotations
                ):
                    yield key, value


def terms(text: str) -> tuple[Term, ...]:
    """``http.status_code=503 and error``. Raises BadQueryError."""
    found: list[Term] = []
    for part in text.split(" and ") if text.strip() else ():
        key, equals, value = part.strip().partition("=")
        if not key:
            raise BadQueryError(f"annotationQuery has the term {part!r}; wanted KEY or KEY=VALUE")
        found.append((key, value if equals else None))
    return tuple(found)


def number(given: Mapping[str, str], name: str, default: int) -> int:
    """A parameter of 0 or more. Raises BadQueryError."""
    text = given.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise BadQueryError(f"{name} is {text!r}; wanted a number of 0 or more")
    return int(text)


def _name(given: Mapping[str, str], name: str) -> str:
    """Zipkin takes ``all`` for any."""
    text = given.get(name, "").lower()
    return "" if text == "all" else text
