"""``python -m soak [--seconds 300] [--seed N] [--plan FILE]``: prove zero loss by force."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
from pathlib import Path
from types import FrameType

from e2e.payments.rules import ROOT
from meshproof.errors import MeshproofError
from meshproof.report.evidence import ProofFolder
from meshproof.report.verdict_table import build_row, render
from soak.plan import Action, from_data, plan
from soak.run import USERS, Soak, Soaked, project

_WIDTH = 120


def main() -> int:
    """0 when every verdict passed, 1 when one did not or nothing could be judged."""
    arguments = _arguments()
    if (kind := os.environ.get("MESH", "embedded")) != "embedded":
        print(f"soak: MESH={kind}: it runs on the embedded mesh only", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        title, actions = _planned(arguments)
    except (OSError, ValueError, KeyError) as error:
        print(f"soak: {arguments.plan}: {error}; wanted a timeline.json of a soak", file=sys.stderr)
        return 2
    if arguments.show:
        print("\n".join(f"{a.at:7.1f} s  {a.lane:6}  {a}" for a in actions))
        return 0
    evidence = ProofFolder(ROOT / "artifacts", f"soak::{title}")
    print(f"soak {title}: replay with: make soak {_again(arguments)}", flush=True)
    try:
        soak = Soak(actions, evidence, _say, users=arguments.users, project=project())
        soaked = soak.run()
    except MeshproofError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; everything is ended, nothing is judged", file=sys.stderr)
        return 130
    _conclude(title, soaked, evidence.folder)
    return 0 if soaked.passed else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m soak",
        description="Break and change everything at random under load; account for every message.",
    )
    parser.add_argument("--seconds", type=float, default=300.0, help="duration (300)")
    parser.add_argument("--seed", type=int, default=0, help="the plan's seed; by default a new one")
    parser.add_argument("--plan", type=Path, help="repeat the plan of this timeline.json")
    parser.add_argument("--users", type=int, default=USERS, help=f"concurrent payers ({USERS})")
    parser.add_argument("--show", action="store_true", help="print the plan, and do nothing")
    arguments = parser.parse_args()
    if arguments.seconds <= 0 or arguments.users < 1 or arguments.seed < 0:
        parser.error("--seconds and --users must be more than 0, --seed not less than 0")
    arguments.seed = arguments.seed or secrets.randbelow(999_999) + 1
    return arguments


def _planned(arguments: argparse.Namespace) -> tuple[str, list[Action]]:
    if arguments.plan:
        timeline = json.loads(arguments.plan.read_text(encoding="utf-8"))
        return f"plan-{arguments.plan.absolute().parent.name}", from_data(timeline["plan"])
    return f"seed-{arguments.seed}", plan(arguments.seed, arguments.seconds)


def _again(arguments: argparse.Namespace) -> str:
    if arguments.plan:
        return f"PLAN={arguments.plan}"
    return f"SEED={arguments.seed} SECONDS_OF_SOAK={arguments.seconds:g}"


def _say(line: str) -> None:
    print(line, flush=True)


def _conclude(title: str, soaked: Soaked, folder: Path) -> None:
    print(render([build_row(f"soak {title}", v, "pass") for v in soaked.verdicts], _WIDTH))
    for verdict in soaked.verdicts:
        if not verdict.passed:
            print(verdict.explain())
    print(f"evidence: {folder.relative_to(ROOT)}/")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt("SIGTERM")


if __name__ == "__main__":
    sys.exit(main())
