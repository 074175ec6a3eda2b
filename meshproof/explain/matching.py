"""Route matching: the first route of a virtual host whose match fits takes the request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshproof.explain.headers import header_mismatch, parameter_mismatch
from meshproof.explain.request import Request
from meshproof.explain.string_match import Json, fullmatch

_DENOMINATOR = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}


@dataclass(frozen=True, slots=True)
class SkippedRoute:
    """An earlier route, and why it did not take the request."""

    route: Json
    why: str


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A route that takes ``chance`` (0 to 1) of such requests; None for 404."""

    chance: float
    route: Json | None
    skipped: tuple[SkippedRoute, ...]


def match_routes(routes: Iterable[Json], request: Request) -> Iterator[RouteMatch]:
    """Their chances add up to 1; there are several only if a route takes a fraction."""
    remaining, skipped = 1.0, list[SkippedRoute]()
    for route in routes:
        reason = route_mismatch(route["match"], request)
        if reason:
            if ("connect_matcher" in route["match"]) == request.is_connect:
                skipped.append(SkippedRoute(route, reason))
            continue
        share = fraction(route["match"].get("runtime_fraction", {}).get("default_value"))
        if share > 0:
            yield RouteMatch(remaining * share, route, tuple(skipped))
        remaining *= 1 - share
        if remaining <= 0:
            return
        skipped.append(SkippedRoute(route, f"it is for {100 * share:g} % of requests"))
    yield RouteMatch(remaining, None, tuple(skipped))


def fraction(value: Json | None) -> float:
    """A FractionalPercent as a number from 0 to 1; None means all."""
    if value is None:
        return 1.0
    denominator = _DENOMINATOR[value.get("denominator", "HUNDRED")]
    return min(float(value.get("numerator", 0)) / denominator, 1.0)


def route_mismatch(match: Json, request: Request) -> str:
    """The first reason why a RouteMatch does not match; empty if it does."""
    if "connect_matcher" in match:
        if not request.is_connect:
            return "it is for tunnels (CONNECT)"
    elif request.is_connect:
        return "it is not for tunnels (CONNECT)"
    elif reason := _path_mismatch(match, request.plain_path):
        return reason
    for matcher in match.get("headers", ()):
        if reason := header_mismatch(matcher, request):
            return reason
    for matcher in match.get("query_parameters", ()):
        if reason := parameter_mismatch(matcher, request):
            return reason
    return _claim_mismatch(match.get("dynamic_metadata", ()))


def _claim_mismatch(matchers: Iterable[Json]) -> str:
    """A sidecar knows no claims when it chooses a route: only a gateway verifies tokens before."""
    for matcher in matchers:
        if not matcher.get("invert"):
            claim = ".".join(part["key"] for part in matcher["path"][1:])
            return f"it is for tokens with the claim {claim}, which only a gateway looks at"
    return ""


def _path_mismatch(match: Json, path: str) -> str:
    if "safe_regex" in match:
        expression = match["safe_regex"]["regex"]
        return "" if fullmatch(expression, path) else f"path {path} is not like {expression}"
    fold = match.get("case_sensitive") is False
    compared = path.lower() if fold else path

    def expected(form: str) -> str:
        return str(match[form]).lower() if fold else str(match[form])

    if "path" in match:
        return "" if compared == expected("path") else f"path {path} is not {match['path']}"
    if "prefix" in match:
        matched = compared.startswith(expected("prefix"))
        return "" if matched else f"path {path} does not begin with {match['prefix']}"
    if "path_separated_prefix" in match:
        prefix = expected("path_separated_prefix")
        matched = compared == prefix or compared.startswith(f"{prefix}/")
        return "" if matched else f"path {path} is not under {match['path_separated_prefix']}"
    raise ValueError(f"a route's match of an unknown form: {sorted(match)}")
