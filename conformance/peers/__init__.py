"""Suites of other projects, ported to run on a mesh of ours.

They lie beside the checkout, in ``../shared/peers`` (its README says what they are). A copy that
lives as long as the run is fitted to this checkout (``adaptation``); without that folder they are
skipped by name. What they find is counted and fails nothing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from conformance.peers.adaptation import adapt

RUNNER = Path("..") / "shared" / "peers" / "run_all.sh"
SUITES = (
    "routing",
    "security",
    "gamma",
    "sim_routes",
    "sim2",
    "bookinfo",
    "findings",
    "validation",
)
VERDICTS = ("agreed", "different", "refused", "not portable")
_VERDICTS = {
    "agree": "agreed",
    "differ": "different",
    "broken": "different",
    "refused": "refused",
    "refused by name": "refused",
    "notportable": "not portable",
}
_FINDINGS = re.compile(r"^(\d+) differ of (\d+)$", re.MULTILINE)
Counts = Mapping[str, int]


def run(root: Path, suites: Sequence[str]) -> dict[str, Counts]:
    """Run the suites and count their verdicts. A suite that ended without a result is left out."""
    results = root / "artifacts" / "peers"
    for suite in suites:
        for path in results.glob(f"{suite}.*"):
            path.unlink()
    runner = (root / RUNNER).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "peers"
        shutil.copytree(runner.parent, folder)
        env = {**os.environ, **adapt(folder)}
        command = [str(folder / runner.name), str(root), *suites]
        subprocess.run(command, check=True, cwd=root, env=env)
    counts = {suite: count(results, suite) for suite in suites}
    return {suite: verdicts for suite, verdicts in counts.items() if verdicts}


def count(results: Path, suite: str) -> Counts:
    """The verdicts of one suite by our own names; empty without a result."""
    if suite == "findings":
        return _count_findings(results / "findings.log")
    path = results / f"{suite}.json"
    if not path.exists():
        return {}
    entries = json.loads(path.read_text(encoding="utf-8"))
    return Counter(_name(entry["verdict"]) for entry in entries)


def _count_findings(log: Path) -> Counts:
    match = _FINDINGS.search(log.read_text(encoding="utf-8")) if log.exists() else None
    if match is None:
        return {}
    different, whole = int(match[1]), int(match[2])
    return {"agreed": whole - different, "different": different}


def _name(verdict: str) -> str:
    """Of a validation's verdicts, ``agree (taken)`` and such agree, and all that differ differ."""
    return _VERDICTS.get(verdict) or ("agreed" if verdict.startswith("agree") else "different")


def render(rows: Mapping[str, Counts]) -> Iterable[str]:
    """A table: a line a suite, a column a verdict."""
    yield f"{'suite':<12}" + "".join(f"{verdict:>14}" for verdict in VERDICTS)
    for suite, counts in rows.items():
        yield f"{suite:<12}" + "".join(f"{counts.get(verdict, 0):>14}" for verdict in VERDICTS)
