"""``meshproof plan`` is the whole truth, and reads as it was read when it was last looked at.

After a wanted change ``python -m tests.cluster.test_plan`` writes the stored plans anew: read them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.cluster.plan import plan
from tests.fakes.cluster_machine import ROOT, Machine, mesh_on, project

HERE = Path(__file__).parent
_TAG = re.compile(r"(meshproof/[a-z.-]+):[0-9a-f]{12}\b")
RULES = ("egress_msgd_by_address.yaml", "v1alpha2/route-rules-svcb-v0.2-50.yaml")


def settings(name: str, wheels: Path) -> dict[str, str]:
    """A machine with all registries, and one without."""
    if name == "plain":
        return {}
    return {
        "KIND_NODE_IMAGE": "rig/node:v1.34.4",
        "BASE_IMAGE": "rig/base:1",
        "WHEELHOUSE": str(wheels),
        "ISTIO_HUB": "rig.local/istio",
        "ISTIO_TAG": "1.29.6",
        "ISTIO_SET": "values.telemetry.enabled=false "
        "values.pilot.env.PILOT_ENABLE_METADATA_EXCHANGE=false "
        "values.pilot.env.PILOT_ENABLE_ALPN_FILTER=false",
    }


def planned(name: str, wheels: Path) -> str:
    """The plan, less what every edit of a service changes: the tags of contents."""
    chosen = replace(project(), rules=tuple(ROOT / "rules" / rule for rule in RULES))
    return _TAG.sub(r"\1:CONTENT", plan(chosen, settings(name, wheels)))


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "flask-3-py3-none-any.whl").write_bytes(b"")
    return folder


@pytest.mark.parametrize("name", ["plain", "no-registries"])
def test_it_reads_as_stored(name: str, wheels: Path) -> None:
    stored = (HERE / "plans" / f"{name}.txt").read_text(encoding="utf-8")
    assert planned(name, wheels) == stored


def test_no_command_escapes_it(wheels: Path, tmp_path: Path) -> None:
    text = plan(project(), {})
    machine = Machine()
    mesh = mesh_on(machine, tmp_path)
    mesh.up()
    mesh.down()
    commands = [c.split(" <<")[0] for c in text.replace("$STATE", str(tmp_path)).splitlines()]
    missing = [c for c in machine.commands if f"$ {c}" not in commands]
    assert not missing


def test_it_runs_and_writes_nothing(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a plan has no effects")

    monkeypatch.setattr("subprocess.run", never)
    monkeypatch.setattr("subprocess.Popen", never)
    for name in ("write_text", "write_bytes", "mkdir", "touch"):
        monkeypatch.setattr(f"pathlib.Path.{name}", never)
    monkeypatch.setattr("shutil.copy", never)
    assert "kind create cluster" in plan(project(), settings("no-registries", wheels))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "flask-3-py3-none-any.whl").touch()
        for which in ("plain", "no-registries"):
            target = HERE / "plans" / f"{which}.txt"
            target.parent.mkdir(exist_ok=True)
            target.write_text(planned(which, Path(folder)), encoding="utf-8")
