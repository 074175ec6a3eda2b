"""URLs as requests that an Envoy sees."""

from __future__ import annotations

import pytest

from meshproof.errors import UsageError
from meshproof.explain.request import build_request, normalize_path


def test_a_url_as_its_parts() -> None:
    request = build_request(
        "GET", "http://u:p@svcb:80/a/b?x=1&y&x=2#z", [("X-Who", "me"), ("x-who", "2")]
    )
    assert (request.authority, request.path, request.plain_path) == (
        "svcb:80",
        "/a/b?x=1&y&x=2",
        "/a/b",
    )
    assert request.get("X-WHO") == "me,2"
    assert (request.parameter("x"), request.parameter("y"), request.parameter("z")) == (
        "1",
        "",
        None,
    )
    assert (request.get(":method"), request.get(":scheme"), request.get("absent")) == (
        "GET",
        "http",
        None,
    )


def test_a_host_header_stands_for_the_url_s_own() -> None:
    request = build_request("GET", "http://127.0.0.1:8080", [("Host", "shop.test")])
    assert (request.authority, request.path, request.headers, request.port) == (
        "shop.test",
        "/",
        (),
        8080,
    )


def test_https_is_a_tunnel_but_at_the_gateway() -> None:
    request = build_request("GET", "https://msgd.test/x")
    assert (request.method, request.authority, request.path) == ("CONNECT", "msgd.test:443", "")
    request = build_request("GET", "https://msgd.test/x", tunnel=False)
    assert (request.method, request.scheme, request.path, request.port) == (
        "GET",
        "https",
        "/x",
        443,
    )


@pytest.mark.parametrize(
    ("method", "url", "name", "message"),
    [
        ("GET", "svcb/pay", "a", "'svcb/pay' is not a URL such as http://cart/show"),
        ("GET", "ftp://svcb", "a", "'ftp://svcb' is not a URL"),
        ("GET", "http://svcb:99999/", "a", "its port is not a number up to 65535"),
        ("G T", "http://svcb/", "a", "'G T' is not the name of a method or a header"),
        ("GET", "http://svcb/", "a b", "'a b' is not the name of a method or a header"),
    ],
)
def test_what_is_no_request_is_refused(method: str, url: str, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build_request(method, url, [(name, "1")])


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/..", "/"),
        ("/../../x", "/x"),
        ("/%61%2e", "/a."),
        ("/a%2Fb%20c", "/a%2Fb%20c"),
        (r"/a\b", "/a/b"),
        ("//a//b", "//a//b"),
        ("/a?b=/../c", "/a?b=/../c"),
    ],
)
def test_paths_are_made_plain(path: str, result: str) -> None:
    assert normalize_path(path) == result
