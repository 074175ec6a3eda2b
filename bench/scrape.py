"""What being scraped costs: ``/pay`` under load with every pod's page read, and without, in turn.

Pages are read ten times as often as a Prometheus does by default (every 0.5 s for 5 s), and the
loss is divided by ten: at its true size it would drown in what else the machine does. The processor
time of a scrape is measured too; that does not depend on it.
"""

from __future__ import annotations

import json
import os
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import processes, suite
from bench.figures import Figure, Part, at_most
from bench.load import Result, answered, failed_of, run, settings_for
from meshproof.mesh import STDIN, Mesh, Source

ROUNDS = 12
SECONDS = 1.5
BUSY = 8
EVERY, OFTENER = 5.0, 10
"""Seconds between two scrapes of a Prometheus, and how many times as many there are here."""
TIMES = 40
"""Scrapes whose processor time is measured, without load."""
_ACCEPT = {"Accept": "application/openmetrics-text;version=1.0.0"}


def measure() -> Part:
    with suite.running(suite.project(), "scrape") as mesh:
        mesh.apply([suite.EGRESS])
        mesh.apply([Source(STDIN, suite.all_of("v0-2"))])
        url = f"{mesh.url('gateway')}/pay"
        answered(url, suite.GOOD)
        pages = _pages(mesh)
        pairs = [(_round(url), _scraped(url, pages)) for _ in range(ROUNDS)]
        one = _processor(pages)
    return _part(pairs, one, len(pages))


def _get(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=_ACCEPT), timeout=10) as answer:
        page: bytes = answer.read()
    return page


def _pages(mesh: Mesh) -> list[str]:
    base = mesh.url("metrics").rpartition("/")[0]
    return [f"{base}{t['labels']['__metrics_path__']}" for t in json.loads(_get(f"{base}/targets"))]


def _round(url: str) -> Result:
    return run(settings_for(url, connections=BUSY, seconds=SECONDS, expect=suite.GOOD))


def _scraped(url: str, pages: list[str]) -> Result:
    with _scraping(pages):
        return _round(url)


@contextmanager
def _scraping(pages: list[str]) -> Iterator[None]:
    over = threading.Event()

    def scrape() -> None:
        while not over.wait(EVERY / OFTENER):
            for page in pages:
                _get(page)

    scraper = threading.Thread(target=scrape, name="scraper")
    scraper.start()
    try:
        yield
    finally:
        over.set()
        scraper.join()


def _processor(pages: list[str]) -> float:
    """Seconds that all of the mesh spends on one scrape of all its pods, the reader's included."""
    before = _used()
    for _ in range(TIMES):
        for page in pages:
            _get(page)
    return (_used() - before) / TIMES


def _used() -> float:
    own: Callable[[], float] = time.process_time
    return own() + sum(processes.cpu_seconds(p.pid) for p in processes.of_this_process())


def _part(pairs: list[tuple[Result, Result]], one: float, pods: int) -> Part:
    ratios = [scraped.rate / plain.rate for plain, scraped in pairs]
    ratio = statistics.median(ratios)
    noise = 1.25 * 1.96 * statistics.stdev(ratios) / len(ratios) ** 0.5
    share = one / EVERY / (os.cpu_count() or 1)
    note = f"median of {ROUNDS} pairs in turn, {SECONDS:g} s each, {BUSY} connections"
    often = f"{OFTENER} times as often"
    return Part(
        "being scraped",
        [
            Figure(f"throughput, scraped {often}", ratio, "", None, note),
            Figure("its noise", noise, "", None, "half a 95 % interval of that median"),
            Figure(f"loss, scraped every {EVERY:g} s", (1 - ratio) / OFTENER * 100, "%",
                   at_most(1.0), f"the loss above, divided by {OFTENER}"),
            Figure("work of one scrape", one * 1000, "ms", None, f"{pods} pods, reader included"),
            Figure(f"of the machine, every {EVERY:g} s", share * 100, "%", at_most(1.0),
                   f"mean of {TIMES} without load"),
            Figure("requests that failed", failed_of([r for pair in pairs for r in pair]), "",
                   at_most(0), "both sides"),
        ],
        {"ratios": ratios},
    )  # fmt: skip
