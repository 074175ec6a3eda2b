"""``up --dashboard``: the page is there with the mesh, and goes with it, however that goes."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterable

import pytest
import requests

from meshproof.host import processes, registry
from tests.cli.conftest import Started

pytestmark = pytest.mark.long


Until = Callable[[Callable[[], object], str], None]
UP = ("up", "-f", "manifests", "--dashboard")


def address(lines: Iterable[str]) -> str:
    for line in lines:
        if match := re.search(r"dashboard: (http://127\.0\.0\.1:\d+/\?token=\S+)", line):
            return match[1]
    raise AssertionError("no address was printed")


def is_unreachable(url: str) -> bool:
    try:
        requests.get(url, timeout=300)
    except requests.ConnectionError:
        return True
    return False


def pages(run_id: str) -> list[processes.MarkedProcess]:
    return [p for p in processes.find_marked() if p.run_id == run_id and "dashboard" in p.command]


def run_of(process: subprocess.Popen[str]) -> str:
    (entry,) = registry.list_running()
    assert process.pid == entry.pid
    return entry.run_id


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_page_ends_with_a_mesh_in_the_foreground(
    started: Started, until: Until, number: signal.Signals
) -> None:
    up = started(*UP)
    assert up.stderr is not None
    url = address(up.stderr)
    assert requests.get(url, timeout=300).status_code == 200
    run_id = run_of(up)
    assert pages(run_id), "there is one to be ended"
    up.send_signal(number)
    up.communicate(timeout=300)
    until(lambda: is_unreachable(url), "the page is gone")
    until(lambda: not pages(run_id), "its process is gone")


def test_the_page_of_a_mesh_in_the_background_ends_with_down(started: Started) -> None:
    up = started(*UP, "-d")
    _, err = up.communicate(timeout=300)  # a page that kept our pipes would hang this
    assert up.returncode == 0
    url = address(err.splitlines())
    assert requests.get(url, timeout=300).status_code == 200
    down = started("down")
    down.communicate(timeout=300)
    assert down.returncode == 0
    assert is_unreachable(url)


def test_without_the_option_there_is_none(started: Started) -> None:
    up = started("up", "-f", "manifests", "-d")
    _, err = up.communicate(timeout=300)
    assert "dashboard" not in err
    (entry,) = registry.list_running()
    assert pages(entry.run_id) == []
    started("down").communicate(timeout=300)
