"""One trace id finds every line of every hop, and no other's."""

from __future__ import annotations

import json

import pytest
import requests

from e2e.payments.rules import EGRESS_BY_ADDRESS
from e2e.support.cli_mesh import serve
from meshproof.mesh import Mesh
from meshproof.report.test_run import Run

HOPS = [
    ("istio-ingressgateway", "sidecar"),
    ("svca", "sidecar"),
    ("svca", "app"),
    ("svca", "sidecar"),
    ("svcb", "sidecar"),
    ("svcb", "app"),
    ("svcb", "sidecar"),
    ("msgd", "app"),
]
"""A payment's hops in order of beginning; each sidecar logs inbound and outbound."""


@pytest.fixture(autouse=True)
def _open(mesh: Mesh) -> None:
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])


def hop(writer: str, part: str) -> tuple[str, str]:
    """The service, for a replica's name: ``svcb-v0.1-05154-1`` -> ``svcb``."""
    return next(name for name, _ in HOPS if writer.startswith(name)), part


def test_one_trace_id_finds_all_lines_of_all_hops(mesh: Mesh, run: Run) -> None:
    with requests.Session() as session:
        session.trust_env = False
        paid = [
            session.get(f"{mesh.url('gateway')}/pay", headers={"x-run-id": run.id}, timeout=300)
            for _ in range(3)
        ]
    traces = [p.json()["trace_id"] for p in paid]
    assert len(set(traces)) == 3
    with serve(mesh) as cli:
        for trace in traces:
            code, text = cli.run("logs", "--trace", trace, "-o", "json")
            assert code == 0, text
            lines = json.loads(text)
            assert {line["entry"]["trace_id"] for line in lines} == {trace}
            # Times are whole milliseconds, so two that begin at once may change places.
            assert sorted(hop(line["writer"], line["part"]) for line in lines) == sorted(HOPS)
            assert hop(lines[0]["writer"], lines[0]["part"]) == HOPS[0]
            assert [line["began"] for line in lines] == sorted(line["began"] for line in lines)
        code, text = cli.run("logs", "--run", run.id, "-o", "json")
        assert (code, len(json.loads(text))) == (0, 3 * len(HOPS))
        code, text = cli.run("logs", "--trace", traces[0])
        assert (code, text.count("\n")) == (0, 1 + len(HOPS))
        directions = ("gateway GET", "inbound GET", "outbound GET")
        assert [text.count(direction) for direction in directions] == [1, 2, 2]


def test_a_trace_of_nobody_is_said_to_be_none(mesh: Mesh, run: Run) -> None:
    with serve(mesh) as cli:
        code, text = cli.run("logs", "--trace", "f" * 32)
    assert (code, text) == (1, f"no log has a line of trace {'f' * 32}\n")
