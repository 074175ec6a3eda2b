from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.embedded.telemetry.request_log import writer_of


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
