"""A dashboard of a fake mesh, on a port of its own, in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from meshproof.dashboard.serve import listen, new_token, page_url
from meshproof.dashboard.server import Server
from meshproof.host.event_loop import LoopThread
from tests.fakes.mesh import FakeMesh
from tests.fakes.served_mesh import client, ended, fake

__all__ = ["client", "ended", "fake"]


@dataclass(frozen=True)
class Page:
    """A dashboard that runs; ``visit`` is a browser that has opened its address."""

    origin: str
    address: str
    token: str
    server: Server

    def visit(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        assert session.get(self.address, timeout=300).status_code == 200
        return session

    def post(self, path: str, body: object = None, **headers: str) -> requests.Response:
        """As the page itself does; ``headers`` may spoil it."""
        sent = {"Origin": self.origin, "X-Meshproof-Token": self.token}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with self.visit() as session:
            return session.post(self.origin + path, json=body, headers=sent, timeout=300)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "good.yaml").write_text("# Does good.\nkind: A\n")
    (folder / "bad.yaml").write_text("refuse\n")
    return folder


@pytest.fixture
def page(fake: FakeMesh, rules: Path) -> Iterator[Page]:
    token = new_token()
    loop = LoopThread("dashboard")
    with listen(0) as sock:
        server = Server(fake.name, sock, token, rules, interval=0.05)
        loop.run(server.start())
        try:
            url = page_url(sock, token)
            yield Page(url.partition("/?")[0], url, token, server)
        finally:
            loop.run(server.close())
            loop.close()
