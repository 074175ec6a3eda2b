"""A proof's folder: what it saw and how it was judged, written as it happens."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from meshproof.mesh import AccessRecord, Mesh, Span
from meshproof.verdicts.verdict import Verdict


def folder_name(test: str) -> str:
    """A folder for a pytest node id: ``e2e/test_a.py::test_b[x/y]`` -> ``test_a.test_b[x-y]``."""
    file, _, name = test.partition("::")
    stem = Path(file).stem
    return re.sub(r"[^\w.\[\]-]+", "-", f"{stem}.{name.replace('::', '.')}")


class Evidence:
    """One test's folder, emptied at the start so that nothing in it is of an earlier run."""

    def __init__(self, root: Path, test: str) -> None:
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

    def collect(self, mesh: Mesh, logs: Iterable[AccessRecord], spans: Iterable[Span]) -> None:
        """The mesh's side: its configuration and logs (``mesh/``), access log, spans."""
        self.lines("access_log.ndjson.gz", logs)
        self.lines("spans.ndjson.gz", spans)
        dump = self.folder / "mesh"
        dump.mkdir(parents=True, exist_ok=True)
        mesh.dump(dump)

    def _path(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name


def _plain(record: Any) -> Any:
    """As ``asdict`` does, without its deep copies: there are tens of thousands of these."""
    data = {field.name: getattr(record, field.name) for field in fields(record)}
    return {**data, "tags": dict(data["tags"])} if "tags" in data else data
