"""``load``: on a running mesh, on one of its own, and how it ends."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from meshproof.cli.load_report import show_calls
from meshproof.errors import MeshproofError
from meshproof.report.calls import Call
from meshproof.report.sections import read_report
from tests.cli.process import nothing_stays
from tests.fakes.mesh import FakeMesh
from tests.traffic.conftest import PayServer, server

pytestmark = pytest.mark.long


__all__ = ["server"]
Cli = Any
Started = Any
Until = Any


def test_load_on_a_running_mesh(
    fake: FakeMesh, cli: Cli, server: PayServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fake, "url", lambda target: server.url if target == "gateway" else "")
    server.trouble = {7: "status"}
    artifacts = str(tmp_path / "artifacts")
    done = cli("load", "--requests", "40", "--users", "2", "-o", "json", "--artifacts", artifacts)
    assert done.code == 1, "a request failed"
    report = json.loads(done.out)
    assert (report["sent"], report["failed"], report["notified"]) == (40, 1, 20)
    assert report["versions"] == {"v0.1": 20, "v0.2": 19}
    assert {headers["x-run-id"] for headers in server.seen} == {report["run_id"]}
    first, second = done.err.splitlines()
    assert second == f"load {report['run_id']} on {server.url} (mesh shop)"
    page = Path(first.removeprefix("report: "))
    (chapter,) = read_report(page)["chapters"]
    assert page.parent == Path(artifacts)
    assert "1 x status 503" in page.read_text()
    assert (chapter["outcome"], chapter["loads"][0]["sent"]) == ("failed", 40)


def test_a_project_without_a_locustfile_is_asked_for_its_root(
    fake: FakeMesh, cli: Cli, server: PayServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fake, "url", lambda target: server.url if target == "gateway" else "")
    server.trouble = {3: "body", 5: "status"}  # a body that is not JSON is an answer too
    done = cli("load", "--requests", "10", "--users", "2")
    assert done.code == 1
    assert done.err.startswith("report: ")
    assert "10 requests, 1 failed; " in done.out
    assert "VERSION" not in done.out


BUYER = """
from meshproof.traffic.locust_user import RecordedUser

class Buyer(RecordedUser):
    counted = ("sold", "refunded")

    def read(self, body):
        return {"extra": {"sold": body["paid"]}}
"""


def test_a_project_names_its_locustfile_its_path_and_what_is_counted(
    fake: FakeMesh, cli: Cli, server: PayServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fake, "url", lambda target: server.url if target == "gateway" else "")
    (tmp_path / "load").mkdir()
    (tmp_path / "load" / "buyers.py").write_text(BUYER)
    project = "manifests: [k8s]\nlocustfile: load/buyers.py\npath: /buy\n"
    (tmp_path / "meshproof.yaml").write_text(project)
    done = cli("load", "--requests", "10", "--users", "2")
    assert done.code == 0, done.err
    assert "10 requests, 0 failed, 10 sold, 0 refunded; " in done.out
    (section,) = read_report(next(tmp_path.glob("artifacts/load-*.json")))["chapters"]
    assert section["title"] == "Load on /buy"
    done = cli("load", "--requests", "10", "--users", "2", "-o", "json")
    assert json.loads(done.out)["sold"] == 10


def test_who_called_whom_is_shown_where_no_answer_says(capsys: pytest.CaptureFixture[str]) -> None:
    show_calls(())
    assert capsys.readouterr().out == ""
    show_calls((Call("gateway", "web", False, 40, 1, None, None),))
    assert capsys.readouterr().out.splitlines() == [
        "FROM      TO    CALLS   FAILED",
        "gateway   web   40      1",
    ]


def test_a_load_that_cannot_begin_promises_no_report(
    fake: FakeMesh, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_way_in(target: str) -> str:
        raise MeshproofError("the gateway serves nothing")

    monkeypatch.setattr(fake, "url", no_way_in)
    done = cli("load", "--requests", "1")
    assert (done.code, "report" in done.err) == (1, False)
    assert "the gateway serves nothing" in done.err


def test_control_c_ends_load_and_the_mesh_started_for_it(
    started: Started, until: Until, runtime_dir: Path, server: PayServer
) -> None:
    load = started("load", "--users", "1", FAKE_URL=server.url)
    until(lambda: len(server.seen) > 5, "the load runs")
    load.send_signal(signal.SIGINT)
    out, err = load.communicate(timeout=300)
    assert load.returncode == 0, err
    first, report, second = err.splitlines()
    assert first == "no mesh named shop is running: one is started for this load"
    assert report.startswith("report: artifacts/load-")
    assert second.endswith(f" on {server.url} (mesh shop); Ctrl-C ends it")
    assert "Aggregated" in out
    assert out.splitlines()[-1].startswith(f"{len(server.seen)} requests, 0 failed, ")
    assert nothing_stays(runtime_dir)


def test_control_c_before_the_first_answer_exits_130(
    started: Started, until: Until, runtime_dir: Path, server: PayServer
) -> None:
    with server.lock:  # no request is answered while this is held
        load = started("load", "--users", "1", FAKE_URL=server.url)
        assert load.stderr.readline().startswith("no mesh named shop is running")
        assert load.stderr.readline().startswith("report: ")
        assert load.stderr.readline().startswith("load ")
        load.send_signal(signal.SIGINT)
        assert load.communicate(timeout=300) == ("", "")
    assert load.returncode == 130
    assert nothing_stays(runtime_dir)


def test_down_from_elsewhere_ends_the_load(
    started: Started, until: Until, runtime_dir: Path, server: PayServer
) -> None:
    load = started("load", "--users", "1", FAKE_URL=server.url)
    until(lambda: server.seen, "the load runs")
    assert started("down").wait(300) == 0
    assert load.wait(300) == 0
    assert nothing_stays(runtime_dir)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--requests", "1", "--ui"), "at most one of --seconds, --requests and --ui"),
        (("--seconds", "1", "--locustfile", "gone.py"), "gone.py: there is no such locustfile"),
    ],
)
def test_refused(fake: FakeMesh, cli: Cli, argv: tuple[str, ...], message: str) -> None:
    done = cli("load", *argv)
    assert done.code != 0
    assert message in done.err


def test_without_a_mesh_or_a_project_it_says_what_it_wants(
    cli: Cli, runtime_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("load", "--seconds", "1")
    assert done.code == 2
    assert done.err == (
        "error: load: no mesh named shop is running, and no meshproof.yaml is here\n"
    )
