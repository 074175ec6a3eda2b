"""``python -m conformance [NAME...] [--cases PATH...] [--peers [SUITE...]]``: a line for each case,
and what differs; then a table of all suites.

Exit code 0 when every case agrees, or differs as docs/fidelity.md says. Peers' suites
(``conformance.peers``) are counted alone.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from conformance import peers
from conformance.cases import Case, load
from conformance.known import FIDELITY, known, unexplained
from conformance.replay import FOLDER, Outcome, replay
from meshproof.mesh_factory import make_mesh
from meshproof.project import load_project
from meshproof.project_path import PROJECT_FILE


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("names", nargs="*", help="cases to run, * allowed; by default all")
    parser.add_argument(
        "--cases", nargs="+", type=Path, default=[FOLDER / "recorded" / "cases"],
        help="files and folders of cases",
    )  # fmt: skip
    parser.add_argument(
        "--peers", nargs="*", choices=(*peers.SUITES, "none"), metavar="SUITE",
        help="suites of other projects beside this checkout; by default all (some 20 minutes)",
    )  # fmt: skip
    options = parser.parse_args(argv)
    chosen = [c for c in load(options.cases) if _chosen(c, options.names)]
    if not chosen:
        parser.error(f"no case is named {' or '.join(options.names) or '*'}")
    outcomes = _replayed(chosen)
    if options.peers not in (None, ["none"]):
        _print_suites(outcomes, options.peers or peers.SUITES)
    return _summed_up(outcomes)


def _print_suites(outcomes: Sequence[Outcome], suites: Sequence[str]) -> None:
    root = FOLDER.parent
    rows: dict[str, peers.Counts] = {"recorded": Counter(o.verdict for o in outcomes)}
    there = (root / peers.RUNNER).exists()
    if there:
        rows |= peers.run(root, suites)
    for line in peers.render(rows):
        print(line)
    if not there:
        print(f"peers' suites: skipped, there is no {peers.RUNNER} beside this checkout")
    for suite in suites if there else ():
        if suite not in rows:
            print(f"{suite}: skipped, {peers.RUNNER} gave no result for it")


def _chosen(case: Case, names: Sequence[str]) -> bool:
    return not names or any(fnmatch.fnmatch(case.name, name) for name in names)


def _replayed(cases: Sequence[Case]) -> list[Outcome]:
    project = load_project(FOLDER / PROJECT_FILE)
    kind = os.environ.get("MESH", "embedded")
    mesh = make_mesh(kind, project, f"conformance-{os.getpid()}")
    outcomes = []
    started = time.monotonic()
    try:
        mesh.up()
        print(f"mesh up in {time.monotonic() - started:.1f} s; {len(cases)} cases", flush=True)
        for case in cases:
            outcomes.append(replay(mesh, case))
            _print_outcome(outcomes[-1])
    finally:
        mesh.down()
    print(f"{time.monotonic() - started:.1f} s in all")
    return outcomes


def _print_outcome(outcome: Outcome) -> None:
    print(f"{outcome.verdict:<10} {outcome.case:<28} {outcome.seconds:6.2f} s", flush=True)
    for detail in outcome.details:
        print(f"           {detail}", flush=True)


def _summed_up(outcomes: Sequence[Outcome]) -> int:
    counts = Counter(o.verdict for o in outcomes)
    print(", ".join(f"{counts[v]} {v}" for v in ("agreed", "different", "refused")))
    fidelity = FIDELITY.read_text(encoding="utf-8") if FIDELITY.exists() else ""
    wrong = unexplained(outcomes, known(), fidelity)
    for line in wrong:
        print(f"not explained: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
