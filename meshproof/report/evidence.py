"""A proof's folder: its evidence and its verdicts, written as they come."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from meshproof.mesh import AccessRecord, Mesh, Span
from meshproof.report.calls import summarize_calls
from meshproof.report.sample_traces import sample_traces
from meshproof.report.sections import ChangeRecord, Section, verdict_as_json
from meshproof.report.series import Series, build_series
from meshproof.traffic.results import read_unchecked
from meshproof.verdicts.verdict import Verdict

SECTION = "chapter.json"
"""The test's section of a report; written with its other evidence."""


def folder_name(test: str) -> str:
    """A folder for a pytest node id: ``e2e/test_a.py::test_b[x/y]`` -> ``test_a.test_b[x-y]``."""
    file, _, name = test.partition("::")
    stem = Path(file).stem
    return re.sub(r"[^\w.\[\]-]+", "-", f"{stem}.{name.replace('::', '.')}")


class ProofFolder:
    """One test's folder, emptied at the start so that it holds nothing of an earlier run."""

    def __init__(self, root: Path, test: str) -> None:
        self.test = test
        self.folder = root / folder_name(test)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.verdicts: list[tuple[Verdict, str]] = []

    def write(self, name: str, data: Any) -> Path:
        """``data`` as indented JSON."""
        path = self._path(name)
        path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        return path

    def lines(self, name: str, records: Iterable[Any]) -> Path:
        """Dataclass instances, one JSON object per line, gzipped: a run has 25 MB of spans."""
        path = self._path(name)
        with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as out:
            out.writelines(json.dumps(_plain(record)) + "\n" for record in records)
        return path

    def record(self, verdict: Verdict, expect: str) -> None:
        """Add a verdict; ``verdicts.json`` and ``counts.json`` are complete after each one."""
        self.verdicts.append((verdict, expect))
        self.write("verdicts.json", [{**v.as_dict(), "expect": e} for v, e in self.verdicts])
        self.write("counts.json", {v.name: dict(v.counts) for v, _ in self.verdicts})

    def collect(
        self,
        mesh: Mesh,
        logs: Sequence[AccessRecord],
        spans: Sequence[Span],
        changes: Sequence[ChangeRecord] = (),
    ) -> None:
        """The mesh's side: its configuration and logs (``mesh/``), access log, spans; and the
        test's section of a report (``chapter.json``)."""
        self.lines("access_log.ndjson.gz", logs)
        self.lines("spans.ndjson.gz", spans)
        section = Section(
            self.test,
            verdicts=[verdict_as_json(verdict, expect) for verdict, expect in self.verdicts],
            loads=self._loads(),
            changes=list(changes),
            calls=summarize_calls(logs, mesh.status().replicas),
            traces=sample_traces(spans),
        )
        self.write(SECTION, section.as_dict())
        dump = self.folder / "mesh"
        dump.mkdir(parents=True, exist_ok=True)
        mesh.dump(dump)

    def _loads(self) -> list[Series]:
        """Of every load whose records are in this folder, in order of time."""
        files = sorted(self.folder.glob("requests-*.ndjson"))
        loads = [build_series(read_unchecked("", file).records) for file in files]
        return sorted((load for load in loads if load), key=lambda load: load.start)

    def _path(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name


def _plain(record: Any) -> Any:
    """Like ``asdict``, without its deep copies: there are tens of thousands of these."""
    data = {field.name: getattr(record, field.name) for field in fields(record)}
    return {**data, "tags": dict(data["tags"])} if "tags" in data else data
