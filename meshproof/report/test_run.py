"""A test's runs: fresh run ids, and what the mesh recorded under them."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

from meshproof.mesh import AccessRecord, Mesh, Span
from meshproof.report.recording_mesh import RecordingMesh
from meshproof.report.sections import ChangeRecord


class Run:
    """Ids that mark one test's requests (``x-run-id``), so that only they are judged.

    ``id`` is the first; ``new`` makes more for a test with several phases. Logs and spans are
    fetched once per id, so ask when its load has ended.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._first = mesh.last_change if isinstance(mesh, RecordingMesh) else 0
        self.ids: list[str] = []
        self._logs: dict[str, list[AccessRecord]] = {}
        self._spans: dict[str, list[Span]] = {}
        self.id = self.new()

    def new(self) -> str:
        """One more id that nobody has used."""
        fresh = f"run-{uuid.uuid4().hex[:16]}"
        self.ids.append(fresh)
        return fresh

    @property
    def changes(self) -> list[ChangeRecord]:
        """The test's changes to the mesh so far, in order; none where nobody records them."""
        mesh = self._mesh
        return mesh.changes_since(self._first) if isinstance(mesh, RecordingMesh) else []

    def access_log(self, run_id: str = "") -> list[AccessRecord]:
        """Every sidecar's records of one run; by default of the first."""
        key = run_id or self.id
        if key not in self._logs:
            self._logs[key] = self._mesh.access_log(key)
        return self._logs[key]

    def spans(self, run_id: str = "") -> list[Span]:
        """Every span of one run; by default of the first."""
        key = run_id or self.id
        if key not in self._spans:
            self._spans[key] = self._mesh.spans(key)
        return self._spans[key]

    def everything(self) -> tuple[list[AccessRecord], list[Span]]:
        """Records and spans of every run, in order. All are fetched at once: each fetch waits for
        the sidecars' next flush."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            logs, spans = pool.map(self.access_log, self.ids), pool.map(self.spans, self.ids)
            return [r for some in logs for r in some], [s for some in spans for s in some]
