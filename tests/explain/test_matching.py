"""Which route takes a request, and why earlier ones do not."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.explain.matching import match_routes, route_mismatch
from meshproof.explain.request import Request

REQUEST = Request(
    "POST", "http", "svcb", "/Pay/1?q=1&r=%31", (("x-user", "jason"), ("x-empty", ""))
)
ANY = {"prefix": "/"}


def header(name: str, matcher: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    return {"name": name, **({"string_match": matcher} if matcher else {}), **more}


@pytest.mark.parametrize(
    ("match", "why"),
    [
        (ANY, ""),
        ({"path": "/Pay/1"}, ""),
        ({"path": "/pay/1"}, "path /Pay/1 is not /pay/1"),
        ({"path": "/pay/1", "case_sensitive": False}, ""),
        ({"prefix": "/Pa"}, ""),
        ({"prefix": "/x"}, "path /Pay/1 does not begin with /x"),
        ({"path_separated_prefix": "/Pay"}, ""),
        ({"path_separated_prefix": "/Pa"}, "path /Pay/1 is not under /Pa"),
        ({"safe_regex": {"regex": "/Pay/[0-9]"}}, ""),
        ({"safe_regex": {"regex": "/Pay"}}, "path /Pay/1 is not like /Pay"),
        ({"connect_matcher": {}}, "it is for tunnels (CONNECT)"),
        (ANY | {"headers": [header("x-user", {"exact": "jason"})]}, ""),
        (
            ANY | {"headers": [header("x-user", {"prefix": "k"})]},
            'header x-user is "jason", wanted beginning with "k"',
        ),
        (ANY | {"headers": [header("no", {"exact": "x"})]}, 'header no is absent, wanted "x"'),
        (
            ANY | {"headers": [header("no", {"exact": "x"}, invert_match=True)]},
            "header no is absent",
        ),
        (
            ANY
            | {
                "headers": [
                    header(
                        "no", {"exact": "x"}, invert_match=True, treat_missing_header_as_empty=True
                    )
                ]
            },
            "",
        ),
        (ANY | {"headers": [header("x-empty", present_match=True)]}, ""),
        (ANY | {"headers": [header("no", present_match=True)]}, "header no is absent"),
        (
            ANY | {"headers": [header("x-user", present_match=True, invert_match=True)]},
            "header x-user is there",
        ),
        (
            ANY | {"headers": [header(":method", {"exact": "GET"})]},
            'the method is "POST", wanted "GET"',
        ),
        (ANY | {"query_parameters": [{"name": "q", "string_match": {"exact": "1"}}]}, ""),
        (
            ANY | {"query_parameters": [{"name": "r", "string_match": {"exact": "1"}}]},
            'query parameter r is "%31", wanted "1"',
        ),
        (
            ANY | {"query_parameters": [{"name": "s", "present_match": True}]},
            "query parameter s is",
        ),
    ],
)
def test_every_kind_of_match(match: dict[str, Any], why: str) -> None:
    result = route_mismatch(match, REQUEST)
    assert result.startswith(why) if why else not result


def test_a_tunnel_is_taken_by_its_own_routes_alone() -> None:
    tunnel = Request("CONNECT", "https", "svcb:443", "")
    assert route_mismatch({"connect_matcher": {}}, tunnel) == ""
    assert route_mismatch(ANY, tunnel) == "it is not for tunnels (CONNECT)"


def test_a_form_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="unknown form"):
        route_mismatch({"path_match_policy": {}}, REQUEST)


def test_the_first_that_fits_with_why_not_the_others() -> None:
    routes: list[dict[str, Any]] = [
        {"match": {"path": "/x"}},
        {"match": ANY, "name": "second"},
        {"match": ANY},
    ]
    (result,) = match_routes(routes, REQUEST)
    assert (result.chance, result.route) == (1.0, routes[1])
    assert [p.why for p in result.skipped] == ["path /Pay/1 is not /x"]


def test_no_route_is_an_end_too() -> None:
    (result,) = match_routes([{"match": {"path": "/x"}}], REQUEST)
    assert result.route is None
    assert result.chance == 1.0


def test_a_fraction_leaves_the_rest_to_the_next() -> None:
    part = {"default_value": {"numerator": 250_000, "denominator": "MILLION"}}
    first, second = match_routes(
        [{"match": {**ANY, "runtime_fraction": part}}, {"match": ANY}], REQUEST
    )
    assert (first.chance, second.chance) == (0.25, 0.75)
    assert second.skipped[0].why == "it is for 25 % of requests"
