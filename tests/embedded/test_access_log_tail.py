"""The newest part of an access log: whole lines from an offset, of one host alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.embedded.telemetry.access_log_tail import _read
from meshproof.errors import UsageError
from meshproof.telemetry import access_log_cursor

HOST = "svcb.payments.svc.cluster.local"


def line(cluster: str, path: str = "/") -> str:
    return json.dumps({"code": 200, "path": path, "upstream_cluster": cluster}) + "\n"


def test_it_goes_on_where_it_ended_and_leaves_half_lines(tmp_path: Path) -> None:
    log = tmp_path / "svca-1.access.jsonl"
    ours, other = line(f"outbound|80|v0-1|{HOST}"), line("outbound|80||svcc.payments")
    quoted = line("inbound|8080||", path=f'|{HOST}"')
    log.write_text(ours + other + quoted + ours[:20])
    records, end = _read(log, HOST, 0)
    assert [(r.sidecar, r.upstream_cluster) for r in records] == [
        ("svca-1", f"outbound|80|v0-1|{HOST}")
    ]
    assert end == len(ours + other + quoted)
    log.write_text(ours + other + quoted + ours)
    records, end = _read(log, HOST, end)
    assert len(records) == 1
    assert _read(log, HOST, end) == ([], end)


@pytest.mark.parametrize("cursor", ["{", "[]", '{"a": "b"}', "later"])
def test_a_cursor_of_ones_own_making_is_refused(cursor: str) -> None:
    with pytest.raises(UsageError, match="wanted one that an earlier answer gave"):
        access_log_cursor.parse(cursor)
