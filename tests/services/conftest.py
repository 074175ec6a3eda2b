from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.common import health
from tests.fakes.backend import Backend, serve


@pytest.fixture
def backend() -> Iterator[Backend]:
    with serve() as one:
        yield one


@pytest.fixture(autouse=True)
def no_proxy_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    health.stopping.clear()
