"""A report's section about a running mesh between two moments, by its control socket.

For loads and releases of the command line. Calls are counted by the sidecars' metrics, so the
report of a long load costs no more than that of a short one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from meshproof.control import zipkin_client
from meshproof.control.client import Client
from meshproof.errors import MeshproofError
from meshproof.istio_names import INGRESS_GATEWAY
from meshproof.mesh import ReplicaStatus, Share, Topology
from meshproof.report.calls import CLOSED, GATEWAY, Call
from meshproof.report.changes import UNKNOWN_SHARES, Shares, change_record, traffic_shares
from meshproof.report.environment import describe_environment
from meshproof.report.page import write_report
from meshproof.report.sections import ChangeRecord, Json, Section, build_report
from meshproof.report.series import build_series
from meshproof.telemetry.trace_rows import waterfall
from meshproof.telemetry.traffic_counts import Edge, TrafficCounts, between, read
from meshproof.traffic.record import Record

_READINGS = 10
"""At most: an Envoy merges its histograms when it is read, and shows them at the next reading."""


class LiveSection:
    """Begins with the mesh as it is; ``build`` returns what happened since then."""

    def __init__(self, mesh: Client) -> None:
        self._mesh = mesh
        self.at = time.time()
        self._counts = read(mesh.requests())
        past = mesh.events()
        self._last = past[-1]["number"] if past else 0
        self._first_shares = self._read_shares()
        self._shares: dict[int, Shares] = {}

    def note_shares(self) -> None:
        """Read the shares that the rules set now, for the newest change."""
        events = self._mesh.events(self._last)
        if events:
            self._shares[events[-1]["number"]] = self._read_shares()

    def build(self, title: str, records: Sequence[Record], **fields: Any) -> Section:
        """The section; ``fields`` are further ones of ``Section``."""
        load = build_series(records)
        own: dict[str, Any] = {
            "loads": [load] if load else [],
            "changes": self._changes(),
            "calls": self._calls(),
            "traces": list(self._traces(records)),
            "seconds": time.time() - self.at,
        }
        return Section(title, **{**own, **fields})

    def write(self, kind: str, section: Section, page: Path) -> None:
        """Write the report of this one section, and its data beside it."""
        environment = describe_environment(str(self._mesh.status()["kind"]))
        report = build_report(kind, section.title, environment, [section.as_dict()], self.at)
        write_report(report, page.with_suffix(".json"))

    def _read_shares(self) -> Shares:
        data = self._mesh.topology()
        if not data:
            return {}
        topology = Topology(tuple(Share(**share) for share in data["shares"]), {}, {})
        replicas = [ReplicaStatus(**replica) for replica in self._mesh.status()["replicas"]]
        return traffic_shares(topology, replicas)

    def _changes(self) -> list[ChangeRecord]:
        events = self._mesh.events(self._last)
        applied = [event["number"] for event in events if not event["error"]]
        if applied and applied[-1] not in self._shares:
            self._shares[applied[-1]] = self._read_shares()
        first = ChangeRecord("as it was", "", self.at, 0.0, shares=self._first_shares)
        return [
            first,
            *(change_record(e, self._shares.get(e["number"], UNKNOWN_SHARES)) for e in events),
        ]

    def _calls(self) -> list[Call]:
        for _ in range(_READINGS):
            calls = between(self._counts, read(self._mesh.requests()))
            if all(max(one.buckets.values(), default=0) == one.requests for one in calls.values()):
                break
        return [_call(edge, counts) for edge, counts in calls.items() if counts.requests]

    def _traces(self, records: Sequence[Record]) -> Iterable[Json]:
        traced = sorted((r for r in records if r.trace_id), key=lambda record: record.elapsed)
        if not traced:
            return
        chosen = {
            "a typical trace": traced[(len(traced) - 1) // 2],
            "the slowest trace": traced[-1],
        }
        for title, record in chosen.items():
            spans = _fetch_trace(self._mesh, record.trace_id)
            if spans:
                yield {"title": title, **waterfall(spans)}


def page_path(artifacts: Path, what: str) -> Path:
    """``artifacts/load-20261125-141502.html``: a new one for each run."""
    return artifacts / f"{what}-{time.strftime('%Y%m%d-%H%M%S')}.html"


def _call(edge: Edge, counts: TrafficCounts) -> Call:
    source = edge.source.partition("/")[2]
    inside = edge.target.partition("/")[2]
    return Call(
        GATEWAY if source == INGRESS_GATEWAY else source,
        inside or (CLOSED if edge.closed else edge.service),
        not inside,
        round(counts.requests),
        round(counts.failed),
        counts.quantile(0.5),
        counts.quantile(0.99),
    )


def _fetch_trace(mesh: Client, trace_id: str) -> list[Json]:
    """Empty where the mesh stores no traces, or stores them elsewhere."""
    try:
        spans = zipkin_client.get(mesh, f"/api/v2/trace/{trace_id}")
    except (MeshproofError, ValueError):
        return []
    return spans if isinstance(spans, list) else []
