"""``meshproof fault``: what arrives, what ``--for`` undoes; and words of ``release`` refused."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tests.fakes.mesh import FakeMesh


def test_what_is_said_arrives_and_what_is_not_is_left_to_the_mesh(fake: FakeMesh, cli: Cli) -> None:
    cli("fault", "latency", "svcb", "--from", "svca", "--ms", "50")
    cli("fault", "kill", "svcb", "--part", "sidecar", "--replica", "svcb-1")
    result = cli("fault", "clear")
    assert (result.code, result.out) == (0, "")
    assert fake.calls == [
        ("fault", "latency", "svcb", {"source": "svca", "ms": 50.0}),
        ("fault", "kill", "svcb", {"part": "sidecar", "replica": "svcb-1"}),
        ("fault", "clear", "", {}),
    ]


def test_for_some_seconds_and_then_no_more(fake: FakeMesh, cli: Cli) -> None:
    result = cli("fault", "cut", "msgd.test", "--for", "0.01")
    assert (result.code, result.err) == (0, "cut of msgd.test for 0.01 s\n")
    assert fake.calls == [
        ("fault", "cut", "msgd.test", {}),
        ("fault", "clear", "msgd.test", {}),
    ]


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("fault", "kill"), "error: fault kill: wanted a workload"),
        (("fault", "heal", "svcb", "--for", "5"), "error: fault heal: --for: wanted a kind"),
        (("release", "svcb"), "error: release: wanted --to VERSION"),
        (("release", "svcb", "--to", "v0.2"), "error: release: svcb: wanted one Service"),
    ],
)
def test_words_that_ask_for_nothing_are_refused(
    fake: FakeMesh, cli: Cli, argv: tuple[str, ...], why: str
) -> None:
    result = cli(*argv)
    assert result.code == 2
    assert result.err.startswith(why)
    assert fake.calls == []
