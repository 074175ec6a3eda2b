"""What the page is given, and what it can change; on a fake mesh."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from meshproof.control.serve import serve_mesh
from meshproof.dashboard.serve import listen
from meshproof.dashboard.server import PAGE, plotly_js
from meshproof.errors import UsageError
from tests.dashboard.conftest import Page
from tests.fakes.mesh import FakeMesh


def views(session: requests.Session, page: Page) -> Iterator[dict[str, object]]:
    """Server-sent events as they come."""
    with session.get(f"{page.origin}/api/live", stream=True, timeout=300) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        for line in answer.iter_lines():
            if line:
                assert line.startswith(b"data: ")
                yield json.loads(line[6:])


def test_views_come_by_themselves(page: Page) -> None:
    with page.visit() as session:
        stream = views(session, page)
        for result in stream:
            if result["state"] == "live":
                break
        following = next(stream)
    assert result["mesh"] == {"name": "shop", "kind": "embedded", "version": "7"}
    assert following["replicas"][0]["name"] == "svca-1"  # type: ignore[index]


def test_the_page_holds_the_token_and_its_own_files_alone(page: Page) -> None:
    with page.visit() as session:
        text = session.get(page.origin, timeout=300).text
        assert f'content="{page.token}"' in text
        links = re.findall(r'(?:src|href)="([^"#]+)"', text)
        assert links, "it has scripts and styles"
        for link in links:
            assert link.startswith("/"), "nothing is asked of another host"
            assert session.get(page.origin + link, timeout=300).status_code == 200


def test_every_module_that_is_imported_is_there(page: Page) -> None:
    with page.visit() as session:
        for script in PAGE.glob("*.js"):
            for name in re.findall(r'from "\./([^"]+)"', script.read_text()):
                assert session.get(f"{page.origin}/page/{name}", timeout=300).status_code == 200


def test_charts_come_out_of_the_installed_package(page: Page) -> None:
    with page.visit() as session:
        answer = session.get(f"{page.origin}/plotly.js", timeout=300)
    assert len(answer.content) == plotly_js().stat().st_size > 1_000_000


@pytest.mark.parametrize("name", ["..%2Fserver.py", "%2Fetc%2Fpasswd", "index.html", "no.js"])
def test_no_other_file_is_served(page: Page, name: str) -> None:
    with page.visit() as session:
        assert session.get(f"{page.origin}/page/{name}", timeout=300).status_code == 404


def test_rules_are_listed_and_read(page: Page) -> None:
    with page.visit() as session:
        result = session.get(f"{page.origin}/api/rules", timeout=300).json()
        text = session.get(f"{page.origin}/api/rule?name=good.yaml", timeout=300).json()
    assert result["files"] == [
        {"name": "bad.yaml", "comment": ""},
        {"name": "good.yaml", "comment": "Does good."},
    ]
    assert text["title"] == "rules/good.yaml"


def test_a_rule_is_applied_and_deleted(page: Page, fake: FakeMesh) -> None:
    applied = page.post("/api/apply", {"name": "good.yaml"})
    assert applied.json()["resources"] == ["File rules/good.yaml created"]
    assert applied.json()["seconds"] == 0.005
    page.post("/api/delete", {"name": "good.yaml"})
    texts = [("rules/good.yaml", "# Does good.\nkind: A\n")]
    assert fake.calls == [("apply", texts, "", False), ("delete", texts, "")]


def test_a_refused_rule_shows_the_mesh_s_own_words(page: Page) -> None:
    answer = page.post("/api/apply", {"name": "bad.yaml"})
    assert (answer.status_code, answer.json()["error"]) == (422, "Refused")
    assert answer.json()["message"].startswith("a.yaml:3: RouteRule default/a: spec.weight")


@pytest.mark.parametrize("body", [{"name": "../rules/good.yaml"}, {"name": 3}, {}, [], "x"])
def test_only_a_listed_file_can_be_applied(page: Page, fake: FakeMesh, body: object) -> None:
    assert page.post("/api/apply", body).status_code == 400
    assert fake.calls == []


def test_the_log_is_filtered(page: Page, fake: FakeMesh) -> None:
    logs = fake.run_dir / "logs"
    logs.mkdir()
    line = '{"direction":"outbound","time":"t","path":"/a","code":502}\n'
    (logs / "svca-1.access.jsonl").write_text(line + line.replace("502", "200"))
    with page.visit() as session:
        result = session.get(f"{page.origin}/api/log?filter=502+svca", timeout=300).json()["lines"]
    assert [(r["sidecar"], r["code"]) for r in result] == [("svca-1", 502)]


def test_traces_of_a_mesh_without_a_store_are_told(page: Page) -> None:
    with page.visit() as session:
        answer = session.get(f"{page.origin}/api/traces", timeout=300)
    assert answer.status_code in (400, 500)  # the fake mesh has a URL where nobody listens
    assert answer.json()["message"]


def test_a_mesh_that_ends_is_shown_as_gone_and_found_again(
    runtime_dir: Path, page: Page, fake: FakeMesh, ended: threading.Event
) -> None:
    def until(state: str, stream: Iterator[dict[str, object]]) -> dict[str, object]:
        return next(view for view in stream if view["state"] == state)

    with page.visit() as session:
        stream = views(session, page)
        until("live", stream)
        page.server.poller.name = "other"
        not_running = until("gone", stream)
        assert "no mesh named other is running" in str(not_running["message"])
        with serve_mesh(FakeMesh("other"), ended):
            result = until("live", stream)
    assert result["mesh"]["name"] == "other"  # type: ignore[index]


def test_a_port_that_is_taken_is_told() -> None:
    with listen(0) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 is taken"):
            listen(port)
