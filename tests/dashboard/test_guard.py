"""Who is let in: the one with the token, by our own name, and changes from our own page alone."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
import requests

from tests.dashboard.conftest import Page
from tests.fakes.mesh import FakeMesh

PATHS = ["/", "/plotly.js", "/page/main.js", "/api/history", "/api/live", "/api/log", "/api/rules"]


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_seen(page: Page, path: str) -> None:
    answer = requests.get(page.origin + path, timeout=300)
    assert answer.status_code == 403
    assert "no token" in answer.text
    assert page.token not in answer.text


def test_a_wrong_token_opens_nothing(page: Page) -> None:
    answer = requests.get(f"{page.origin}/?token={page.token[:-1]}", timeout=300)
    assert (answer.status_code, answer.history) == (403, [])


def test_the_first_visit_makes_a_cookie_that_no_script_and_no_other_site_gets(page: Page) -> None:
    answer = requests.get(page.address, timeout=300, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    with page.visit() as session:
        assert session.get(f"{page.origin}/", timeout=300).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", ""])
@pytest.mark.parametrize("path", ["/", "/api/history", "/?token={token}"])
def test_another_host_is_refused_even_with_the_token(page: Page, host: str, path: str) -> None:
    """A name that was bound to loopback after its page was loaded sends its own Host."""
    port = str(urlsplit(page.origin).port)
    cookie = f"meshproof-{port}={page.token}"
    status, body = raw(
        int(port),
        f"GET {path.format(token=page.token)} HTTP/1.1\r\nHost: {host.format(port=port)}\r\n"
        f"Cookie: {cookie}\r\nConnection: close\r\n\r\n",
    )
    assert (status, "Host header" in body) == (403, True)


def test_localhost_is_our_name_too(page: Page) -> None:
    local = page.address.replace("127.0.0.1", "localhost")
    assert requests.get(local, timeout=300).status_code == 200


CHANGES = ["/api/apply", "/api/delete", "/api/reset"]


@pytest.mark.parametrize("path", CHANGES)
def test_a_change_wants_the_token_of_the_page(page: Page, fake: FakeMesh, path: str) -> None:
    for headers in ({"X_Meshproof_Token": ""}, {"X_Meshproof_Token": "x" * 32}):
        answer = page.post(path, {"name": "good.yaml"}, **headers)
        assert (answer.status_code, "token" in answer.text) == (403, True)
    assert fake.calls == []


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "https://127.0.0.1:{port}"])
def test_a_change_from_another_origin_is_refused(
    page: Page, fake: FakeMesh, path: str, origin: str
) -> None:
    port = urlsplit(page.origin).port
    answer = page.post(path, {"name": "good.yaml"}, Origin=origin.format(port=port))
    assert (answer.status_code, "Origin" in answer.text) == (403, True)
    assert fake.calls == []


def test_a_change_of_our_own_is_made(page: Page, fake: FakeMesh) -> None:
    assert page.post("/api/reset").status_code == 200
    assert fake.calls == [("reset",)]


def test_every_answer_forbids_what_is_not_ours(page: Page) -> None:
    with page.visit() as session:
        answers = [session.get(page.origin + path, timeout=300) for path in ("/", "/page/main.js")]
    answers.append(requests.get(page.origin, timeout=300))  # refused
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_it_listens_on_loopback_alone(page: Page) -> None:
    assert page.server._listener.getsockname()[0] == "127.0.0.1"


def raw(port: int, request: str) -> tuple[int, str]:
    """Status and body of a request that no client library would send."""
    with socket.create_connection(("127.0.0.1", port), timeout=300) as sock:
        sock.sendall(request.encode())
        answer = b""
        while part := sock.recv(65536):
            answer += part
    head, _, body = answer.decode().partition("\r\n\r\n")
    return int(head.split()[1]), body
