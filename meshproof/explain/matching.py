"""Which route of a virtual host takes a request: the first whose match fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshproof.explain.headers import why_no_parameter, why_not
from meshproof.explain.request import Request
from meshproof.explain.string_match import Json, whole

_DENOMINATOR = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}


@dataclass(frozen=True, slots=True)
class Passed:
    """A route that was asked before, and why it did not take the request."""

    route: Json
    why: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A route that takes ``chance`` (0 to 1) of such requests; None is 404."""

    chance: float
    route: Json | None
    passed: tuple[Passed, ...]


def taken(routes: Iterable[Json], request: Request) -> Iterator[Taken]:
    """Chances add up to 1; there are several only where a route is for a fraction."""
    left, passed = 1.0, list[Passed]()
    for route in routes:
        why = mismatch(route["match"], request)
        if why:
            if ("connect_matcher" in route["match"]) == request.is_connect:
                passed.append(Passed(route, why))
            continue
        share = fraction(route["match"].get("runtime_fraction", {}).get("default_value"))
        if share > 0:
            yield Taken(left * share, route, tuple(passed))
        left *= 1 - share
        if left <= 0:
            return
        passed.append(Passed(route, f"it is for {100 * share:g} % of requests"))
    yield Taken(left, None, tuple(passed))


def fraction(value: Json | None) -> float:
    """A FractionalPercent as a number from 0 to 1; none is all."""
    if value is None:
        return 1.0
    whole_ = _DENOMINATOR[value.get("denominator", "HUNDRED")]
    return min(float(value.get("numerator", 0)) / whole_, 1.0)


def mismatch(match: Json, request: Request) -> str:
    """Why a RouteMatch does not fit, the first reason found; empty where it does."""
    if "connect_matcher" in match:
        if not request.is_connect:
            return "it is for tunnels (CONNECT)"
    elif request.is_connect:
        return "it is not for tunnels (CONNECT)"
    elif why := _path(match, request.plain_path):
        return why
    for matcher in match.get("headers", ()):
        if why := why_not(matcher, request):
            return why
    for matcher in match.get("query_parameters", ()):
        if why := why_no_parameter(matcher, request):
            return why
    return _why_no_claim(match.get("dynamic_metadata", ()))


def _why_no_claim(matchers: Iterable[Json]) -> str:
    """No claim is known where a sidecar chooses a route: only a gateway looks at tokens before."""
    for matcher in matchers:
        if not matcher.get("invert"):
            claim = ".".join(part["key"] for part in matcher["path"][1:])
            return f"it is for tokens with the claim {claim}, which only a gateway looks at"
    return ""


def _path(match: Json, path: str) -> str:
    if "safe_regex" in match:
        expression = match["safe_regex"]["regex"]
        return "" if whole(expression, path) else f"path {path} is not like {expression}"
    fold = match.get("case_sensitive") is False
    asked = path.lower() if fold else path

    def wanted(form: str) -> str:
        return str(match[form]).lower() if fold else str(match[form])

    if "path" in match:
        return "" if asked == wanted("path") else f"path {path} is not {match['path']}"
    if "prefix" in match:
        fitting = asked.startswith(wanted("prefix"))
        return "" if fitting else f"path {path} does not begin with {match['prefix']}"
    if "path_separated_prefix" in match:
        prefix = wanted("path_separated_prefix")
        fitting = asked == prefix or asked.startswith(f"{prefix}/")
        return "" if fitting else f"path {path} is not under {match['path_separated_prefix']}"
    raise ValueError(f"a route's match of an unknown form: {sorted(match)}")
