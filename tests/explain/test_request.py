"""A URL as an Envoy sees it."""

from __future__ import annotations

import pytest

from meshproof.errors import UsageError
from meshproof.explain.request import build_request, normalize_path


def test_a_url_as_its_parts() -> None:
    made = build_request(
        "GET", "http://u:p@svcb:80/a/b?x=1&y&x=2#z", [("X-Who", "me"), ("x-who", "2")]
    )
    assert (made.authority, made.path, made.plain_path) == ("svcb:80", "/a/b?x=1&y&x=2", "/a/b")
    assert made.get("X-WHO") == "me,2"
    assert (made.parameter("x"), made.parameter("y"), made.parameter("z")) == ("1", "", None)
    assert (made.get(":method"), made.get(":scheme"), made.get("absent")) == ("GET", "http", None)


def test_a_host_header_stands_for_the_url_s_own() -> None:
    made = build_request("GET", "http://127.0.0.1:8080", [("Host", "shop.test")])
    assert (made.authority, made.path, made.headers, made.port) == ("shop.test", "/", (), 8080)


def test_https_is_a_tunnel_but_at_the_gateway() -> None:
    made = build_request("GET", "https://msgd.test/x")
    assert (made.method, made.authority, made.path) == ("CONNECT", "msgd.test:443", "")
    made = build_request("GET", "https://msgd.test/x", tunnel=False)
    assert (made.method, made.scheme, made.path, made.port) == ("GET", "https", "/x", 443)


@pytest.mark.parametrize(
    ("method", "url", "name", "said"),
    [
        ("GET", "svcb/pay", "a", "'svcb/pay' is not a URL such as http://svcb/notify"),
        ("GET", "ftp://svcb", "a", "'ftp://svcb' is not a URL"),
        ("GET", "http://svcb:99999/", "a", "its port is no number up to 65535"),
        ("G T", "http://svcb/", "a", "'G T' is no name of a method or a header"),
        ("GET", "http://svcb/", "a b", "'a b' is no name of a method or a header"),
    ],
)
def test_what_is_no_request_is_refused(method: str, url: str, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        build_request(method, url, [(name, "1")])


@pytest.mark.parametrize(
    ("path", "made"),
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
def test_paths_are_made_plain(path: str, made: str) -> None:
    assert normalize_path(path) == made
