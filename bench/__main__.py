"""``python -m bench [PART]...``: measure, print a table, write artifacts/bench.json."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench import machine, table
from bench.figures import Part

PARTS = {
    "start": "from nothing to the first verified response, by library and command line",
    "rules": "a rule in process: until it is live, and until the old one's last response",
    "command": "meshproof apply, from start to exit",
    "switches": "1,000 switches under load",
    "tax": "/pay with and without sidecars, and beside bare Envoys",
    "scrape": "the cost of scraping every pod's metrics",
    "kills": "what is left when the supervisor is killed, and for how long",
    "scale": "start, convergence, memory and idle CPU with 10 to 1,000 replicas, and their growth",
}
OUT = Path("artifacts") / "bench.json"


def main() -> int:
    """0 when everything could be measured, targets met or not; 1 when a part failed."""
    chosen = _arguments()
    about = machine.describe()
    parts: list[Part] = []
    failed: dict[str, str] = {}
    for name in chosen:
        print(f"measuring {name}: {PARTS[name]} ...", end=" ", file=sys.stderr, flush=True)
        begin = time.monotonic()
        try:
            parts.append(importlib.import_module(f"bench.{name}").measure())
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
        print(f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
    about["load_after"] = machine.load()
    table.show(parts, machine.line(about), Console())
    _write(about, parts, failed)
    for name, why in failed.items():
        print(f"{name} could not be measured: {why}", file=sys.stderr)
    return 1 if failed else 0


def _arguments() -> list[str]:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure what the mesh costs, against the targets. By default all parts.",
        epilog="\n".join(f"{name:10} {what}" for name, what in PARTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", nargs="*", metavar="PART", help=", ".join(PARTS))
    chosen: list[str] = parser.parse_args().part
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        parser.error(f"unknown part {', '.join(unknown)}: wanted {', '.join(PARTS)}")
    return chosen or list(PARTS)


def _write(about: dict[str, str | int | float], parts: list[Part], failed: dict[str, str]) -> None:
    OUT.parent.mkdir(exist_ok=True)
    report = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": about,
        "parts": [part.as_dict() for part in parts],
        "failed": failed,
    }
    OUT.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
