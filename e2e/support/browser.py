"""Chromium under Playwright, for proofs of what a browser shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

WITHIN_MS = 120_000.0
"""Milliseconds after which what a page should show counts as never; by default it is 5 seconds."""
NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's own Chromium; skips by name where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium on PATH ({', '.join(NAMES)}): apt-get install chromium")
    with sync_playwright() as playwright:
        # As root, as in containers and CI, Chromium's own sandbox cannot start.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        expect.set_options(timeout=WITHIN_MS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """A tab, with what its console reported and what it requested."""

    page: Page
    messages: list[str] = field(default_factory=list)
    """Errors and warnings."""
    urls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(WITHIN_MS)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.messages.append(f"uncaught: {error}"))
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.messages.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        self.urls.append(request.url)

    def hosts(self) -> set[str]:
        """The hosts that it requested something from; data: and blob: have none."""
        return {
            parts.hostname or ""
            for parts in map(urlsplit, self.urls)
            if parts.scheme in ("http", "https", "ws", "wss")
        }
