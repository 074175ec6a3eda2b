"""``python -m bench [PART]...``: measure, print a table, write artifacts/bench.json.

The file is written after every part, so that what ends a run loses no part that was measured.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from bench import machine, table
from bench.figures import Part


class Measurement(NamedTuple):
    """What a part measures, and the seconds that it takes on two quiet cores."""

    about: str
    seconds: int


PARTS = {
    "start": Measurement(
        "from nothing to the first verified response, by library and command line", 50
    ),
    "rules": Measurement(
        "a rule in process: until it is live, and until the old one's last response", 30
    ),
    "command": Measurement("meshproof apply, from start to exit", 15),
    "switches": Measurement("1,000 switches under load", 45),
    "tax": Measurement("/pay with and without sidecars, and beside bare Envoys", 180),
    "scrape": Measurement("the cost of scraping every pod's metrics", 70),
    "kills": Measurement("what is left when the supervisor is killed, and for how long", 150),
    "scale": Measurement(
        "start, convergence, memory and idle CPU with 10 to 1,000 replicas, and their growth", 420
    ),
}
OUT = Path("artifacts") / "bench.json"


@dataclass
class Report:
    """What was measured so far, of which machine."""

    about: dict[str, str | int | float] = field(default_factory=machine.describe)
    parts: list[Part] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        self.about["load_after"] = machine.load()
        path.parent.mkdir(exist_ok=True)
        report = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": self.about,
            "parts": [part.as_dict() for part in self.parts],
            "failed": self.failed,
        }
        path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def main() -> int:
    """0 when everything could be measured, targets met or not; 1 when a part failed."""
    report = Report()
    interrupted = not run(_arguments(), report, OUT, _measure)
    if report.parts:
        table.show(report.parts, machine.line(report.about), Console())
    for name, why in report.failed.items():
        print(f"{name} could not be measured: {why}", file=sys.stderr)
    return 1 if report.failed or interrupted else 0


def _measure(name: str) -> Part:
    part: Part = importlib.import_module(f"bench.{name}").measure()
    return part


def run(names: Sequence[str], report: Report, out: Path, measure: Callable[[str], Part]) -> bool:
    """Measure part by part into ``report`` and its file. A part that fails is named there, and the
    next one begins; False where the user ended the run."""
    for number, name in enumerate(names, 1):
        end = datetime.now().astimezone() + timedelta(seconds=_expected(names[number - 1 :]))
        print(
            f"{number}/{len(names)} {name}: {PARTS[name].about}; about {PARTS[name].seconds} s, "
            f"the end is expected at {end:%H:%M}",
            file=sys.stderr,
            flush=True,
        )
        begin = time.monotonic()
        try:
            report.parts.append(measure(name))
        except KeyboardInterrupt:
            report.failed[name] = "interrupted"
        except Exception as error:
            report.failed[name] = f"{type(error).__name__}: {error}"
        report.write(out)
        outcome = f"failed: {report.failed[name]}" if name in report.failed else "measured"
        print(f"  {outcome}, {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        if report.failed.get(name) == "interrupted":
            return False
    return True


def _expected(names: Sequence[str]) -> int:
    return sum(PARTS[name].seconds for name in names)


def _arguments() -> list[str]:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure what the mesh costs, against the targets. By default all parts.",
        epilog="\n".join(f"{name:10} {part.about}" for name, part in PARTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", nargs="*", metavar="PART", help=", ".join(PARTS))
    chosen: list[str] = parser.parse_args().part
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        parser.error(f"unknown part {', '.join(unknown)}: wanted {', '.join(PARTS)}")
    return chosen or list(PARTS)


if __name__ == "__main__":
    sys.exit(main())
