"""A proof's folder: what it saw and how it was judged, written as it happens."""

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
from meshproof.report.calls import calls
from meshproof.report.sample_traces import examples
from meshproof.report.sections import ChangeRecord, Section, judged
from meshproof.report.series import Series, series
from meshproof.traffic.results import read_unchecked
from meshproof.verdicts.verdict import Verdict

CHAPTER = "chapter.json"
"""What a report shows of a test; written with its other evidence."""


def folder_name(test: str) -> str:
    """A folder for a pytest node id: ``e2e/test_a.py::test_b[x/y]`` -> ``test_a.test_b[x-y]``."""
    file, _, name = test.partition("::")
    stem = Path(file).stem
    return re.sub(r"[^\w.\[\]-]+", "-", f"{stem}.{name.replace('::', '.')}")


class ProofFolder:
    """One test's folder, emptied at the start so that nothing in it is of an earlier run."""

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
        """Dataclass instances, one JSON object a line, gzipped: a run has 25 MB of spans."""
        path = self._path(name)
        with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as out:
            out.writelines(json.dumps(_plain(record)) + "\n" for record in records)
        return path

    def record(self, verdict: Verdict, expect: str) -> None:
        """Keep a verdict; ``verdicts.json`` and ``counts.json`` are whole after every one."""
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
        """The mesh's side: its configuration and logs (``mesh/``), access log, spans; and what of
        all this a report shows (``chapter.json``)."""
        self.lines("access_log.ndjson.gz", logs)
        self.lines("spans.ndjson.gz", spans)
        chapter = Section(
            self.test,
            verdicts=[judged(verdict, expect) for verdict, expect in self.verdicts],
            loads=self._loads(),
            changes=list(changes),
            calls=calls(logs, mesh.status().replicas),
            traces=examples(spans),
        )
        self.write(CHAPTER, chapter.as_dict())
        dump = self.folder / "mesh"
        dump.mkdir(parents=True, exist_ok=True)
        mesh.dump(dump)

    def _loads(self) -> list[Series]:
        """Of every load that left its records in this folder, in order of time."""
        files = sorted(self.folder.glob("requests-*.ndjson"))
        found = [series(read_unchecked("", file).records) for file in files]
        return sorted((one for one in found if one), key=lambda one: one.start)

    def _path(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name


def _plain(record: Any) -> Any:
    """As ``asdict`` does, without its deep copies: there are tens of thousands of these."""
    data = {field.name: getattr(record, field.name) for field in fields(record)}
    return {**data, "tags": dict(data["tags"])} if "tags" in data else data
