"""The modules of WasmPlugins: where they are, which are refused, and when one is read again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.embedded.admission.wasm_modules import read_modules
from meshproof.errors import Problem, Refused
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.project import Project
from meshproof.project_file import ImageCommand
from tests.fakes import wasm_module

PLUGIN = """apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: auth, namespace: shop}
spec:
  url: file://%s
"""
APP = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
"""


def _read(folder: Path, path: str = "m.wasm", *, more: str = "") -> list[Resource]:
    return read_text(PLUGIN % path + more, str(folder / "rules.yaml"))


def _refusals(resources: list[Resource], *, pods: bool = True) -> list[Problem]:
    project = Project(Path(), images={"web": ImageCommand(command=["true"])}, pods=pods)
    try:
        embedded_admission(project).apply(Store(), resources, strict=False)
    except Refused as refusal:
        return list(refusal.problems)
    return []


def test_a_relative_file_is_beside_the_document(tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_bytes(wasm_module.answering(418))
    assert _refusals(_read(tmp_path)) == []
    module = read_modules(_read(tmp_path))["shop", "auth"]
    assert module.path == str(tmp_path / "m.wasm")
    assert _refusals(_read(Path("/nowhere"), str(tmp_path / "m.wasm"))) == []


def test_a_missing_file_is_refused_and_would_be_taken_on_a_cluster(tmp_path: Path) -> None:
    (problem,) = _refusals(_read(tmp_path))
    assert (problem.line, problem.field, problem.unsupported) == (5, "spec.url", True)
    assert f"{tmp_path}/m.wasm is no file" in problem.found
    assert "beside this YAML" in problem.remedy


def test_what_is_no_module_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_text("(module)")
    (problem,) = _refusals(_read(tmp_path))
    assert "is no WebAssembly" in problem.found


def test_the_sum_is_compared(tmp_path: Path) -> None:
    content = wasm_module.answering(418)
    (tmp_path / "m.wasm").write_bytes(content)
    right = hashlib.sha256(content).hexdigest()
    assert _refusals(_read(tmp_path, more=f"  sha256: {right}\n")) == []
    (problem,) = _refusals(_read(tmp_path, more=f"  sha256: {'a' * 64}\n"))
    assert (problem.field, problem.wanted) == ("spec.sha256", right)


@pytest.mark.parametrize("url", ["oci://r.test/a:1", "https://r.test/a.wasm", "r.test/a:1"])
def test_nothing_is_fetched(url: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_text((PLUGIN % "").replace("file://", url), "f.yaml")
    (problem,) = refusal.value.problems
    assert (problem.field, problem.unsupported) == ("spec.url", True)
    assert f'"{url}" names a module of a registry' in problem.found


def test_a_module_that_is_written_again_has_another_sum(tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_bytes(wasm_module.answering(418))
    before = read_modules(_read(tmp_path))
    assert read_modules(_read(tmp_path)) == before
    (tmp_path / "m.wasm").write_bytes(wasm_module.adding("x-plugin"))
    after = read_modules(_read(tmp_path))["shop", "auth"]
    assert after.path == before["shop", "auth"].path
    assert after.sha256 != before["shop", "auth"].sha256


@pytest.mark.parametrize(
    ("match", "pods", "refused"),
    [
        ("{ports: [{number: 80}]}", False, True),
        ("{ports: [{number: 80}]}", True, False),
        ("{mode: SERVER, ports: [{number: 80}]}", False, False),
        ("{mode: CLIENT}", False, False),
    ],
)
def test_without_pods_no_port_of_outgoing_calls_is_told_apart(
    tmp_path: Path, match: str, pods: bool, refused: bool
) -> None:
    (tmp_path / "m.wasm").write_bytes(wasm_module.answering(418))
    resources = _read(tmp_path, more=f"  match: [{match}]\n{APP}")
    fields = [p.field for p in _refusals(resources, pods=pods)]
    assert fields == (["spec.match[0].ports"] if refused else [])


def test_without_pods_a_gateway_s_ports_are(tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_bytes(wasm_module.answering(418))
    selector = "  selector: {matchLabels: {istio: ingressgateway}}\n"
    resources = _read(tmp_path, more=f"{selector}  match: [{{ports: [{{number: 80}}]}}]\n{APP}")
    assert _refusals(resources, pods=False) == []
