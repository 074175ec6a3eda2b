"""Names of processes and of log files tell whose they are, and which part."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.embedded.process_names import envoy_process, outside_process, owner_of, writer_of


@pytest.mark.parametrize(
    ("process", "owner"),
    [
        ("svca-1", ("svca-1", "app")),
        (envoy_process("svca-1"), ("svca-1", "sidecar")),
        (outside_process("msgd.test"), ("msgd.test", "app")),
        (envoy_process("istio-ingressgateway"), ("gateway", "sidecar")),
    ],
)
def test_a_name_says_whose_process_it_is(process: str, owner: tuple[str, str]) -> None:
    assert owner_of(process) == owner


@pytest.mark.parametrize(
    ("name", "writer"),
    [
        ("svca-1.log", ("svca-1", "app")),
        ("svca-1.access.jsonl", ("svca-1", "sidecar")),
        ("outside.msgd.test.log", ("msgd.test", "app")),
        ("svca-1.envoy.log", None),
        ("notes.txt", None),
    ],
)
def test_a_logs_name_says_who_wrote_it(name: str, writer: tuple[str, str] | None) -> None:
    assert writer_of(Path("logs") / name) == writer
