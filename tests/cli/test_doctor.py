"""``meshproof doctor``: what a machine lacks, and what that costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meshproof.cli import machine_checks
from meshproof.cli.machine_checks import Finding, can_run
from meshproof.cluster.commands import CommandError, Result
from meshproof.errors import MeshproofError

Cli = Any
GIB = 2**30


def fails() -> dict[str, str]:
    raise MeshproofError("kind is not on PATH (tested with 0.31)\nor run without a cluster")


@pytest.mark.parametrize(
    ("finding", "fine", "needed"),
    [
        (machine_checks._python((3, 11)), True, False),
        (machine_checks._python((3, 10)), False, True),
        (machine_checks._libc("glibc", "2.36"), True, False),
        (machine_checks._libc("glibc", "2.28"), False, True),
        (machine_checks._libc("", ""), False, True),
        (machine_checks._loopback(lambda _a, _p: ""), True, False),
        (machine_checks._loopback(lambda a, _p: f"{a}: no"), False, True),
        (machine_checks._loopback(lambda _a, p: "no" if p else ""), True, False),
        (machine_checks._namespaces(""), True, False),
        (machine_checks._namespaces("nat: No such file; sudo modprobe nft_nat"), False, False),
        (machine_checks._disk(Path("/x"), 2 * GIB), True, False),
        (machine_checks._disk(Path("/x"), GIB // 2), False, False),
        (machine_checks._open_files(1024), False, False),
        (machine_checks._open_files(65536), True, False),
        (machine_checks._inotify(512, 524288), True, False),
        (machine_checks._inotify(128, 524288), False, False),
        (machine_checks._tool("kind", lambda: {"kind": "0.31"}, "get it"), True, False),
        (machine_checks._tool("kind", fails, "get it"), False, False),
    ],
)
def test_what_is_missing_says_what_it_costs_and_what_to_do(
    finding: Finding, fine: bool, needed: bool
) -> None:
    assert finding.is_fine == fine
    assert can_run([finding]) == (fine or not needed)
    assert finding.state
    if not fine:
        assert finding.costs
        assert finding.remedy


def test_a_tool_that_fails_says_which_command_and_why() -> None:
    argv = ("docker", "version")
    result = Result(argv, 1, b"Client:\n", b"Cannot connect to the daemon\n", 0.1)

    def asks() -> dict[str, str]:
        raise CommandError(result, "asking docker for its version")

    assert machine_checks._tool("docker", asks, "get it").state == (
        "asking docker for its version: exit code 1 of `docker version`: "
        "Cannot connect to the daemon"
    )


def test_an_extra_that_is_missing_is_named() -> None:
    missing = {f.name: f for f in machine_checks._extras(lambda m: m not in ("locust", "plotly"))}
    assert missing["[load]"].remedy == "pip install 'meshproof[load]'"
    assert "locust" in missing["[load]"].state
    assert missing["[load]"].costs == "cannot run: `load`, `release` and their reports"
    assert not missing["[dashboard]"].is_fine
    assert missing["[pytest]"].is_fine


def test_it_prints_every_finding(cli: Cli) -> None:
    done = cli("doctor", "-o", "json")
    findings = json.loads(done.out)
    names = {f["name"] for f in findings}
    assert {"Python", "C library", "Envoy", "loopback", "namespaces", "disk", "kind"} <= names
    assert done.code == 0, findings  # where these tests run, a mesh runs
    text = cli("doctor").out
    assert all(name in text for name in names)
