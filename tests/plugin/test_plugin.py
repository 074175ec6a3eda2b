"""The pytest plugin, in pytest runs of its own with a mesh that only takes notes."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long


REPOSITORY = Path(__file__).parents[2]
MESH = """
import sys, types
from pathlib import Path
from meshproof.mesh import AccessRecord, Span

class Notes:
    def __init__(self, *made):
        self.note("made", *map(str, made))
    def note(self, *words):
        with open("notes", "a") as out:
            print(*words, file=out)
    def up(self): self.note("up")
    def down(self): self.note("down")
    def reset(self): self.note("reset")
    def apply(self, *_, **__): self.note("apply")
    def status(self): return types.SimpleNamespace(replicas=())
    delete = scale = fault = apply
    def url(self, target): return "http://127.0.0.1:1"
    def access_log(self, run_id):
        return [AccessRecord("svca", "inbound", *[""] * 4, 200, "-", "", 1, *[""] * 5, run_id)]
    def spans(self, run_id):
        return [Span("t", "s", "", "SERVER", "svca.default", "", 0.0, 0.1, {"run_id": run_id})]
    def dump(self, folder): (folder / "dumped").write_text("yes")

FAKED = {
    "mesh_factory": {"make_mesh": Notes, "proxy_version": str},
    "project": {"load_project": Path},
}
for name, attributes in FAKED.items():
    module = types.ModuleType(f"meshproof.{name}")
    vars(module).update(attributes)
    sys.modules[module.__name__] = module
"""
SPLIT = """
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.split import split
def half(a): return split("half", Sample({"a": a, "b": 5240 - a}, 0, 5240), {"a": 1, "b": 1})
"""


def pytest_run(folder: Path, test: str, *options: str, **files: str) -> tuple[int, str, list[str]]:
    """Exit code, output, and what the mesh noted."""
    (folder / "conftest.py").write_text(MESH)
    (folder / "test_it.py").write_text(SPLIT + test)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "meshproof.yaml").touch()
    done = subprocess.run(
        command(*options), cwd=folder, env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    notes = folder / "notes"
    return done.returncode, done.stdout, notes.read_text().splitlines() if notes.exists() else []


def command(*options: str) -> list[str]:
    plugin = ["-p", "meshproof.pytest_plugin", "-p", "no:cacheprovider"]
    return [sys.executable, "-m", "pytest", "-q", *plugin, *options]


def environment() -> dict[str, str]:
    own = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(REPOSITORY), "COLUMNS": "150"}
    return {**os.environ, **own, "MESH": "noted"}


def test_no_mesh_and_no_heavy_import_unless_asked(tmp_path: Path) -> None:
    code, output, notes = pytest_run(
        tmp_path,
        """
import sys
def test_plain():
    heavy = {"scipy", "locust", "gevent", "rich.table", "grpc", "pydantic", "google.protobuf"}
    assert not heavy & set(sys.modules)
""",
    )
    assert code == 0, output
    assert notes == []


def test_one_mesh_a_session_reset_after_each_test(tmp_path: Path) -> None:
    code, output, notes = pytest_run(
        tmp_path,
        "def test_a(mesh): mesh.note('a')\n"
        "def test_plain(): pass\n"
        "def test_b(mesh, run): mesh.note('b'); assert run.id != run.new()\n",
        "--mesh-name=mine", "--mesh-project=other.yaml",
    )  # fmt: skip
    assert code == 0, output
    assert notes == ["made noted other.yaml mine", "up", "a", "reset", "b", "reset", "down"]


def test_the_project_may_be_named_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "meshproof.yaml").touch()
    code, output, notes = pytest_run(
        tmp_path, "def test_a(mesh): pass\n", "-o", "meshproof_project=mesh"
    )
    assert code == 0, output
    assert notes[0].startswith(f"made noted {tmp_path}/mesh/meshproof.yaml pytest-")


def test_without_a_project_it_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "pytest.ini").touch()
    (tmp_path / "elsewhere" / "test_it.py").write_text("def test_a(apply): pass\n")
    code, output, notes = pytest_run(
        tmp_path, "", f"--rootdir={tmp_path}/elsewhere", "elsewhere/test_it.py"
    )
    assert (code, notes) == (1, [])
    assert f"{tmp_path}/elsewhere/meshproof.yaml: there is no such file" in output
    assert "meshproof init" in output
    assert "Traceback" not in output


def test_somebody_elses_fixture_of_that_name_is_left_alone(tmp_path: Path) -> None:
    code, output, notes = pytest_run(
        tmp_path,
        "import pytest\n@pytest.fixture\ndef mesh(): return 7\n"
        "def test_a(mesh): assert mesh == 7\n",
    )
    assert (code, notes) == (0, []), output


def test_keep_mesh_leaves_it_up(tmp_path: Path) -> None:
    _, _, notes = pytest_run(tmp_path, "def test_a(mesh): pass\n", "--keep-mesh")
    assert notes[1:] == ["up", "reset"]


def test_verdicts_reach_table_xml_and_folder(tmp_path: Path) -> None:
    code, output, _ = pytest_run(
        tmp_path,
        "def test_a(run, judge):\n"
        "    judge(half(2600)); judge(half(3144), expect='fail', because='allowed')\n",
        "--junitxml=x.xml", "--artifacts=kept",
    )  # fmt: skip
    assert code == 0, output
    assert "failed, as it must" in output
    assert "test_it.py::test_a" in output
    assert "5,240" in output
    assert "meshproof.verdict" in (tmp_path / "x.xml").read_text()
    folder = tmp_path / "kept" / "test_it.test_a"
    assert {p.name for p in folder.iterdir()} == {
        "verdicts.json", "counts.json", "access_log.ndjson.gz", "spans.ndjson.gz", "mesh",
        "chapter.json",
    }  # fmt: skip
    assert (folder / "mesh" / "dumped").exists()
    spans = gzip.decompress((folder / "spans.ndjson.gz").read_bytes()).decode()
    assert '"run_id": "run-' in spans


def test_what_is_not_as_expected_fails_its_test_with_evidence(tmp_path: Path) -> None:
    code, output, notes = pytest_run(
        tmp_path,
        "def test_off(run, judge): judge(half(3144))\n"
        "def test_blind(run, judge): judge(half(2600), expect='fail', because='allowed')\n"
        "def test_other(run, judge): judge(half(3144), expect='fail', because='blocks')\n"
        "def test_plain(mesh): assert False\n",
    )
    assert code == 1
    for message in (
        "allowed 2443..2797",
        "had to fail and passed",
        "not (only) because",
        "4 failed",
    ):
        assert message in output
    assert notes[-2:] == ["reset", "down"]
    for name in ("off", "blind", "other", "plain"):
        folder = tmp_path / "artifacts" / f"test_it.test_{name}"
        assert (folder / "mesh" / "dumped").exists()
        assert (folder / "access_log.ndjson.gz").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_session_takes_its_mesh_down(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "conftest.py").write_text(MESH)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "meshproof.yaml").touch()
    (tmp_path / "test_it.py").write_text(
        "import time\ndef test_a(mesh):\n    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        command("-s"), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        while "ready" not in running.stdout.readline():
            assert running.poll() is None
        running.send_signal(number)
        running.communicate(timeout=300)
    assert running.returncode == pytest.ExitCode.INTERRUPTED
    assert (tmp_path / "notes").read_text().splitlines()[-2:] == ["reset", "down"]
