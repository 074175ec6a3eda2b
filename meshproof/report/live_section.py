"""What happened on a running mesh between two moments, by its control socket, as a chapter.

For loads and releases of the command line. Calls are counted by the sidecars' own metrics, so that
a long load costs no more to look at than a short one.
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
from meshproof.report.environment import environment
from meshproof.report.page import write
from meshproof.report.sections import ChangeRecord, Json, Section, report
from meshproof.report.series import series
from meshproof.telemetry.trace_rows import waterfall
from meshproof.telemetry.traffic_counts import Edge, TrafficCounts, between, read
from meshproof.traffic.record import Record

_READINGS = 10
"""At most: an Envoy adds its durations up when it is asked, and tells them when asked again."""


class LiveSection:
    """Begins with the mesh as it is; ``chapter`` is what came after."""

    def __init__(self, mesh: Client) -> None:
        self._mesh = mesh
        self.at = time.time()
        self._counts = read(mesh.requests())
        past = mesh.events()
        self._last = past[-1]["number"] if past else 0
        self._before = self._shares()
        self._noted: dict[int, Shares] = {}

    def note(self) -> None:
        """Take down what the rules say now, for the newest change."""
        made = self._mesh.events(self._last)
        if made:
            self._noted[made[-1]["number"]] = self._shares()

    def chapter(self, title: str, records: Sequence[Record], **other: Any) -> Section:
        """``other`` are fields of ``Section``."""
        load = series(records)
        usual: dict[str, Any] = {
            "loads": [load] if load else [],
            "changes": self._changes(),
            "calls": self._calls(),
            "traces": list(self._traces(records)),
            "seconds": time.time() - self.at,
        }
        return Section(title, **{**usual, **other})

    def leave(self, kind: str, chapter: Section, page: Path) -> None:
        """Write the report of this one chapter, and its data beside it."""
        found = environment(str(self._mesh.status()["kind"]))
        made = report(kind, chapter.title, found, [chapter.as_dict()], self.at)
        write(made, page.with_suffix(".json"))

    def _shares(self) -> Shares:
        said = self._mesh.topology()
        if not said:
            return {}
        topology = Topology(tuple(Share(**one) for one in said["shares"]), {}, {})
        replicas = [ReplicaStatus(**one) for one in self._mesh.status()["replicas"]]
        return traffic_shares(topology, replicas)

    def _changes(self) -> list[ChangeRecord]:
        events = self._mesh.events(self._last)
        taken = [event["number"] for event in events if not event["error"]]
        if taken and taken[-1] not in self._noted:
            self._noted[taken[-1]] = self._shares()
        first = ChangeRecord("as it was", "", self.at, 0.0, shares=self._before)
        return [
            first,
            *(change_record(e, self._noted.get(e["number"], UNKNOWN_SHARES)) for e in events),
        ]

    def _calls(self) -> list[Call]:
        for _ in range(_READINGS):
            found = between(self._counts, read(self._mesh.requests()))
            if all(max(one.buckets.values(), default=0) == one.requests for one in found.values()):
                break
        return [_call(edge, counts) for edge, counts in found.items() if counts.requests]

    def _traces(self, records: Sequence[Record]) -> Iterable[Json]:
        known = sorted((r for r in records if r.trace_id), key=lambda record: record.elapsed)
        if not known:
            return
        chosen = {"a typical trace": known[(len(known) - 1) // 2], "the slowest trace": known[-1]}
        for title, record in chosen.items():
            found = _trace(self._mesh, record.trace_id)
            if found:
                yield {"title": title, **waterfall(found)}


def page_of(artifacts: Path, what: str) -> Path:
    """``artifacts/load-20261125-141502.html``: one a run."""
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


def _trace(mesh: Client, trace_id: str) -> list[Json]:
    """Empty where the mesh keeps no trace, or keeps its traces elsewhere."""
    try:
        found = zipkin_client.get(mesh, f"/api/v2/trace/{trace_id}")
    except (MeshproofError, ValueError):
        return []
    return found if isinstance(found, list) else []
