"""``curl``: bytes, headers and refusals as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meshproof.errors import UsageError
from tests.cli.process import run_process
from tests.fakes.mesh import BINARY, FakeMesh

Cli = Any


def test_curl_prints_the_bodys_bytes_alone(fake: FakeMesh) -> None:
    done = run_process("curl", "--from", "svca", "http://svcb/")
    assert (done.returncode, done.stdout, done.stderr) == (0, BINARY, b"")
    assert fake.calls == [("curl", "svca", "http://svcb/", "GET", [], b"")]


def test_the_gateway_is_no_workload_and_the_way_in_is_told(
    fake: FakeMesh, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such(workload: str, *_: Any, **__: Any) -> Any:
        raise UsageError(f"no workload {workload}; there is default/web")

    monkeypatch.setattr(fake, "curl", no_such)
    assert "curl $(meshproof url gateway)/PATH" in cli("curl", "--from", "gateway", "http://a/").err
    assert cli("curl", "--from", "b", "http://a/").err == (
        "error: no workload b; there is default/web\n"
    )


def test_curl_sends_method_headers_and_body(fake: FakeMesh, cli: Cli) -> None:
    cli("curl", "--from", "svca", "-d", "a=1", "-H", "X-B:  two: 3 ", "http://svcb/")
    cli("curl", "--from", "svca", "-X", "PUT", "-d", "@-", "-H", "Content-Type: text/plain",
        "http://svcb/", stdin=BINARY)  # fmt: skip
    form = ("content-type", "application/x-www-form-urlencoded")
    assert fake.calls == [
        ("curl", "svca", "http://svcb/", "POST", [("X-B", "two: 3"), form], b"a=1"),
        ("curl", "svca", "http://svcb/", "PUT", [("Content-Type", "text/plain")], BINARY),
    ]


def test_curl_with_head_and_as_json(fake: FakeMesh, cli: Cli) -> None:
    head = "HTTP/1.1 502\r\nserver: envoy\r\n\r\n"
    done = cli("curl", "-i", "--from", "svca", "http://closed/")
    assert done.out.encode() == head.replace("\r\n", "\n").encode() or done.out == head
    message = json.loads(cli("curl", "-o", "json", "--from", "svca", "http://closed/").out)
    assert (message["status"], message["body"]) == (502, "")


def test_curl_says_what_would_open_a_refused_way(fake: FakeMesh, cli: Cli) -> None:
    done = cli("curl", "--from", "svca", "http://closed/")
    assert (done.code, done.out) == (0, "")
    assert done.err == "refused: a ServiceEntry would open it\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-H", "no colon"], "error: curl: -H 'no colon': wanted 'Name: value'\n"),
        (["-d", "@/nowhere"], "error: curl: -d @/nowhere: No such file or directory\n"),
    ],
)
def test_curl_refuses(fake: FakeMesh, cli: Cli, argv: list[str], message: str) -> None:
    done = cli("curl", "--from", "svca", *argv, "http://svcb/")
    assert (done.code, done.err, fake.calls) == (2, message, [])
