"""``python -m tools.dashboard_shots [FOLDER]``: pictures of the dashboard, made by itself.

Brings up the mesh of meshproof.yaml under a name of its own, sends load, opens the way to msgd,
moves the split, has a rule refused, and takes pictures in the system's Chromium: wide and narrow,
light and dark, and ``dashboard.png``, which the README shows. Wants Playwright (the extra ``dev``).
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAME = "shots"
_STEPS = (
    (12.0, "rules/svcb_v0_1_90_v0_2_10.yaml"),
    (12.0, "e2e/refused/weight_as_text.yaml"),
    (4.0, "rules/svcb_v0_1_50_v0_2_50.yaml"),
    (10.0, ""),
)
"""Seconds that the scene before lasts, and what is applied then."""
_SHOTS = {
    "dashboard": ({"width": 1366, "height": 1190}, "light", False),
    "wide-light": ({"width": 1366, "height": 900}, "light", True),
    "wide-dark": ({"width": 1366, "height": 900}, "dark", True),
    "narrow-light": ({"width": 400, "height": 900}, "light", True),
    "narrow-dark": ({"width": 400, "height": 900}, "dark", True),
}
"""Name -> size, theme, and whether the whole page is taken."""


def _meshproof(*argv: str) -> str:
    command = [sys.executable, "-m", "meshproof.cli", *argv, "--name", NAME]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@contextlib.contextmanager
def _scene() -> Iterator[str]:
    """A mesh under load whose rules have just been changed; gives the dashboard's address."""
    match = re.search(r"dashboard: (\S+)", output := _meshproof("up", "-d", "--dashboard"))
    if match is None:
        sys.exit(output)
    _meshproof("apply", "-f", "rules/egress_msgd_by_address.yaml")
    command = [sys.executable, "-m", "meshproof.cli", "load", "--users", "6", "--name", NAME]
    try:
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as load:
            try:
                for seconds, rule in _STEPS:
                    time.sleep(seconds)  # a scene takes its time: curves are wanted
                    if rule:
                        _meshproof("apply", "-f", rule)
                yield match[1]
            finally:
                load.terminate()
    finally:
        _meshproof("down")


def _take(browser: Any, address: str, name: str, folder: Path) -> None:
    size, theme, whole = _SHOTS[name]
    context = browser.new_context(viewport=size, color_scheme=theme)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".map .label")
    for part, drawn in (("#split", ".main-svg"), ("#load", ".main-svg"), ("#traces", "button")):
        page.locator(part).scroll_into_view_if_needed()  # what is out of sight is not drawn
        page.wait_for_selector(f"{part} {drawn}")
    page.locator("#log").scroll_into_view_if_needed()
    page.locator("#trace-list button", has_text="5 spans").first.click()
    page.wait_for_selector("#waterfall details")
    page.wait_for_selector("#lines tbody tr")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / f"{name}.png", full_page=whole)
    context.close()


def main() -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (development alone)

    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "artifacts/dashboard")
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("no chromium on PATH")
    with _scene() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in _SHOTS:
            _take(browser, address, name, folder)
            print(folder / f"{name}.png", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
