"""``curl`` and ``exec``: bytes, headers, streams and exit codes stay as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from meshproof.errors import UsageError
from tests.fakes.mesh import BINARY, FakeMesh

Cli = Any
ROOT = Path(__file__).parents[2]


def meshproof(*argv: str, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "meshproof.cli", *argv],
        cwd=ROOT,
        env={**os.environ, "MESHPROOF_NAME": "shop", **env},
        input=stdin,
        capture_output=True,
        check=False,
    )


def test_curl_prints_the_bodys_bytes_alone(fake: FakeMesh) -> None:
    done = meshproof("curl", "--from", "svca", "http://svcb/")
    assert (done.returncode, done.stdout, done.stderr) == (0, BINARY, b"")
    assert fake.asked == [("curl", "svca", "http://svcb/", "GET", [], b"")]


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
    assert fake.asked == [
        ("curl", "svca", "http://svcb/", "POST", [("X-B", "two: 3"), form], b"a=1"),
        ("curl", "svca", "http://svcb/", "PUT", [("Content-Type", "text/plain")], BINARY),
    ]


def test_curl_with_head_and_as_json(fake: FakeMesh, cli: Cli) -> None:
    head = "HTTP/1.1 502\r\nserver: envoy\r\n\r\n"
    done = cli("curl", "-i", "--from", "svca", "http://closed/")
    assert done.out.encode() == head.replace("\r\n", "\n").encode() or done.out == head
    said = json.loads(cli("curl", "-o", "json", "--from", "svca", "http://closed/").out)
    assert (said["status"], said["body"]) == (502, "")


def test_curl_says_what_would_open_a_refused_way(fake: FakeMesh, cli: Cli) -> None:
    done = cli("curl", "--from", "svca", "http://closed/")
    assert (done.code, done.out) == (0, "")
    assert done.err == "refused: a ServiceEntry would open it\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["-H", "no colon"], "error: curl: -H 'no colon': wanted 'Name: value'\n"),
        (["-d", "@/nowhere"], "error: curl: -d @/nowhere: No such file or directory\n"),
    ],
)
def test_curl_refuses(fake: FakeMesh, cli: Cli, argv: list[str], said: str) -> None:
    done = cli("curl", "--from", "svca", *argv, "http://svcb/")
    assert (done.code, done.err, fake.asked) == (2, said, [])


def test_exec_is_the_command_itself(fake: FakeMesh) -> None:
    script = 'cat; echo "$WORKLOAD $http_proxy ${MESHPROOF_RUN_ID-none}" >&2; exit 9'
    done = meshproof("exec", "svca", "--", "sh", "-c", script, stdin=BINARY)
    assert (done.returncode, done.stdout) == (9, BINARY)
    assert done.stderr == b"svca http://127.0.0.2:15001 none\n"


def test_exec_has_the_callers_path_and_no_other_variable(fake: FakeMesh) -> None:
    done = meshproof("exec", "svca", "env", PATH=os.environ["PATH"], CALLERS="own")
    names = {line.partition("=")[0] for line in done.stdout.decode().splitlines()}
    assert names == {"WORKLOAD", "http_proxy", "PATH"}
    assert f"PATH={os.environ['PATH']}".encode() in done.stdout.splitlines()


def test_exec_gives_options_to_the_command(fake: FakeMesh) -> None:
    assert meshproof("exec", "svca", "echo", "-n", "--name", "x").stdout == b"--name x"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("no-such-program", 127, b"error: no-such-program: No such file or directory\n"),
        ("/etc/passwd", 126, b"error: /etc/passwd: Permission denied\n"),
    ],
)
def test_exec_fails_as_a_shell_does(fake: FakeMesh, command: str, code: int, said: bytes) -> None:
    done = meshproof("exec", "svca", "--", command)
    assert (done.returncode, done.stderr) == (code, said)


def test_client_commands_import_nothing_heavy(fake: FakeMesh) -> None:
    # pydantic is not in the list: typer itself loads it, whatever its commands do.
    code = (
        "import sys; from meshproof.cli.main import app;"
        " app(['apply', '-f', '-'], standalone_mode=False);"
        " print(sorted({'grpc', 'aiohttp', 'scipy', 'yaml', 'rich', 'asyncio',"
        " 'requests'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "MESHPROOF_NAME": "shop"},
        input=b"A",
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"File <stdin> created\n"
    assert done.stderr.splitlines()[-1] == b"[]"
