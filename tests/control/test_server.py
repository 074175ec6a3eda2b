"""The contract over the control socket: what is asked arrives, what is answered comes back."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.control.client import Client
from meshproof.control.connection import post
from meshproof.control.serve import serve_mesh
from meshproof.errors import MeshproofError, NotLive, Refused, UsageError
from meshproof.host import registry
from tests.fakes.mesh import BINARY, PROBLEM, WARNING, FakeMesh


def test_apply_carries_texts_and_brings_evidence(fake: FakeMesh, client: Client) -> None:
    applied = client.apply([("a.yaml", "A"), ("<stdin>", "Ü")], "pay", True)
    assert fake.calls == [("apply", [("a.yaml", "A"), ("<stdin>", "Ü")], "pay", True)]
    assert applied["resources"] == ["File a.yaml created", "File <stdin> created"]
    assert applied["acks"] == [{"sidecar": "svca-1", "version": "2", "seconds": 0.004}]
    assert applied["warnings"] == [WARNING.as_dict()]


def test_a_refusal_comes_back_with_every_problem(client: Client) -> None:
    with pytest.raises(Refused) as refusal:
        client.apply([("a.yaml", "refuse")], "", False)
    assert refusal.value.problems == (PROBLEM, WARNING)
    assert refusal.value.exit_code == 2


def test_errors_keep_their_class_and_the_mesh_lives_on(client: Client) -> None:
    with pytest.raises(NotLive, match="svca-1 stayed silent"):
        client.apply([("a.yaml", "stuck")], "", False)
    with pytest.raises(UsageError, match="no workload nope"):
        client.url("nope")
    with pytest.raises(MeshproofError, match="ZeroDivisionError: a bug"):
        client.apply([("a.yaml", "crash")], "", False)
    assert client.url("svca") == "http://127.0.0.1:8080/svca"


def test_changes_arrive(fake: FakeMesh, client: Client) -> None:
    client.delete([("a.yaml", "A")], "pay")
    client.scale("svca", 3)
    client.fault("kill", "svca", part="sidecar")
    client.reset()
    assert fake.calls == [
        ("delete", [("a.yaml", "A")], "pay"),
        ("scale", "svca", 3),
        ("fault", "kill", "svca", {"part": "sidecar"}),
        ("reset",),
    ]


def test_curl_carries_bytes_both_ways(fake: FakeMesh, client: Client) -> None:
    answer = client.curl("svca", "http://svcb/", "POST", [("x-b", "2")], BINARY)
    assert fake.calls == [("curl", "svca", "http://svcb/", "POST", [("x-b", "2")], BINARY)]
    assert (answer["status"], answer["body"]) == (200, BINARY)
    assert answer["headers"] == [["server", "envoy"], ["x-a", "1"]]


def test_looks_come_back_whole(fake: FakeMesh, client: Client, runtime_dir: Path) -> None:
    assert client.status()["replicas"][0]["labels"] == {"app": "svca"}
    assert client.spans("run 1&2")[0]["name"] == "run 1&2"
    assert client.spans("r")[0]["tags"] == {"k": "v"}
    assert client.access_log() == []
    assert client.metrics("svca") == "istio_requests_total{app='svca'} 1\n"
    assert client.environment("svca")["http_proxy"] == "http://127.0.0.2:15001"
    client.dump(str(runtime_dir / "dump"))
    assert (runtime_dir / "dump" / "pid").exists()


def test_logs_are_named_where_there_are_several(fake: FakeMesh, client: Client) -> None:
    (fake.run_dir / "svca-1.log").write_text("one\nunfinished")
    (fake.run_dir / "svca-2.log").write_text("two\n")
    assert b"".join(client.logs("svca", False)) == b"one\n"
    assert b"".join(client.logs("both", False)) == b"svca-1 | one\nsvca-2 | two\n"
    with pytest.raises(UsageError, match="no workload nope"):
        b"".join(client.logs("nope", False))


def test_followed_logs_come_as_they_are_written(fake: FakeMesh, client: Client) -> None:
    log = fake.run_dir / "svca-1.log"
    parts = client.logs("svca", True)
    log.write_text("one\n")
    assert next(parts) == b"one\n"
    with log.open("a") as out:
        out.write("two\nthr")
    assert next(parts) == b"two\n"
    with log.open("a") as out:
        out.write("ee\n")
    assert next(parts) == b"three\n"


def test_following_ends_with_the_mesh(runtime_dir: Path) -> None:
    mesh = FakeMesh()
    with serve_mesh(mesh, threading.Event()):
        (mesh.run_dir / "svca-1.log").write_text("one\n")
        parts = Client.find("shop").logs("svca", True)
        assert next(parts) == b"one\n"
    assert list(parts) == []


def test_down_tells_the_mesh_process(client: Client, ended: threading.Event) -> None:
    assert not ended.is_set()
    client.down()
    assert ended.is_set()


def test_the_socket_is_its_owners_alone(fake: FakeMesh) -> None:
    assert stat.S_IMODE(fake.control_socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(fake.run_dir.stat().st_mode) == 0o700


@pytest.mark.parametrize("body", [b"", b"[1]", b"{"])
def test_what_is_no_question_is_answered_as_an_error(client: Client, body: bytes) -> None:
    with pytest.raises(UsageError, match="takes a JSON object"):
        list(post(client.entry, "/apply", body.decode()))


def test_a_name_is_taken_once_and_given_back(fake: FakeMesh, runtime_dir: Path) -> None:
    second = FakeMesh()
    with pytest.raises(UsageError, match="running already"), serve_mesh(second, threading.Event()):
        pytest.fail("it must not start")
    assert second.folder is None, "it was refused before anything was started"
    assert registry.find("shop").run_id == fake.run_id


def test_nothing_stays_after_the_end_nor_after_a_failed_start(runtime_dir: Path) -> None:
    class Failing(FakeMesh):
        @property
        def control_socket(self) -> Path:
            return self.run_dir / ("x" * 200)

    mesh = FakeMesh()
    with serve_mesh(mesh, threading.Event()):
        assert mesh.run_dir.exists()
    with (
        pytest.raises(MeshproofError, match="path too long"),
        serve_mesh(Failing(), threading.Event()),
    ):
        pytest.fail("its socket cannot be")
    assert registry.list_running() == ()
    assert not (runtime_dir / "meshproof").exists()


def test_a_mesh_that_starts_or_is_gone_is_said_so(fake: FakeMesh, client: Client) -> None:
    registry.publish(replace(client.entry, control_socket=""))
    with pytest.raises(UsageError, match="still starting, or ending"):
        Client.find("shop")
    dead = Client(replace(client.entry, control_socket=str(fake.run_dir / "none")))
    with pytest.raises(MeshproofError, match=r"does not answer.*`meshproof down --name shop`"):
        dead.status()


def test_an_unknown_path_is_an_error(client: Client) -> None:
    with pytest.raises(MeshproofError, match="404"):
        list(post(client.entry, "/nope", "{}"))
