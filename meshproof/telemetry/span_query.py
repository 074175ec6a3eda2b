"""A search for traces with the parameters of Zipkin's ``/api/v2/traces``. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from meshproof.telemetry.span_rows import Row

DAY = 24 * 3600 * 1000
"""Milliseconds: how far a search without ``lookback`` goes back."""
LIMIT = 10
MAX_LIMIT = 10_000
Term = tuple[str, str | None]
"""A tag and its value; None for any value, and then an annotation's text matches as well."""


class BadQueryError(ValueError):
    """A parameter that is not valid; the message names it, and what was expected."""


@dataclass(frozen=True, slots=True)
class Query:
    """A trace matches if each condition is met by some span of ``service``, or of any service
    without one. Times are in microseconds."""

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
    def of(parameters: Mapping[str, str], now: int) -> Query:
        """``parameters`` are those of the URL, ``now`` is milliseconds since 1970. Raises
        BadQueryError."""
        return Query(
            end=number(parameters, "endTs", now) * 1000,
            lookback=number(parameters, "lookback", DAY) * 1000,
            service=_name(parameters, "serviceName"),
            name=_name(parameters, "spanName"),
            remote=_name(parameters, "remoteServiceName"),
            terms=terms(parameters.get("annotationQuery", "")),
            shortest=number(parameters, "minDuration", 0),
            longest=number(parameters, "maxDuration", 0) if parameters.get("maxDuration") else None,
            limit=min(number(parameters, "limit", LIMIT), MAX_LIMIT),
        )

    def in_time(self, start: int) -> bool:
        """Whether a trace that began at ``start`` is in the time range."""
        return self.end - self.lookback <= start <= self.end

    def matches_rows(self, rows: Iterable[Row]) -> bool:
        """Whether a trace matches everything but the terms: rows have no tags."""
        name = remote = long_enough = False
        for _, _, _, _, service, span_name, span_remote, _, duration, _, _ in rows:
            if self._is_of_service(service):
                name = name or span_name.lower() == self.name
                remote = remote or span_remote.lower() == self.remote
                long_enough = long_enough or self._long_enough(duration)
        # ``long_enough`` stays False if no span is the service's.
        return long_enough and (name or not self.name) and (remote or not self.remote)

    def _is_of_service(self, service: str) -> bool:
        return not self.service or service.lower() == self.service

    def _long_enough(self, duration: int) -> bool:
        return self.shortest <= duration and (self.longest is None or duration <= self.longest)

    def matching_terms(
        self, service: str, tags: Mapping[str, str], annotations: Collection[str]
    ) -> Iterator[Term]:
        """The terms that a span matches."""
        if self._is_of_service(service):
            for key, value in self.terms:
                tag = tags.get(key)
                if (tag is not None and value in (None, tag)) or (
                    value is None and key in annotations
                ):
                    yield key, value


def terms(text: str) -> tuple[Term, ...]:
    """``http.status_code=503 and error``. Raises BadQueryError."""
    parsed: list[Term] = []
    for part in text.split(" and ") if text.strip() else ():
        key, equals, value = part.strip().partition("=")
        if not key:
            raise BadQueryError(f"annotationQuery has the term {part!r}; wanted KEY or KEY=VALUE")
        parsed.append((key, value if equals else None))
    return tuple(parsed)


def number(parameters: Mapping[str, str], name: str, default: int) -> int:
    """A parameter of 0 or more. Raises BadQueryError."""
    text = parameters.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise BadQueryError(f"{name} is {text!r}; wanted a number of 0 or more")
    return int(text)


def _name(parameters: Mapping[str, str], name: str) -> str:
    """``all`` means any, as in Zipkin."""
    text = parameters.get(name, "").lower()
    return "" if text == "all" else text
