"""What a command imports, which is most of its start-up; counted, since seconds vary."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.served_mesh import ended, fake

__all__ = ["ended", "fake"]
ROOT = Path(__file__).parents[2]
IMPORTED = """
import sys
from meshproof.cli.main import main
try: main()
except SystemExit as end: print("exit", end.code, file=sys.stderr)
others = {m for m in sys.modules if m.partition(".")[0] not in sys.stdlib_module_names}
print(*sorted(others), *({"asyncio"} & set(sys.modules)), file=sys.stderr)
"""
PROJECT = (
    "manifests: [mesh]\nrules: [rules]\nimages:\n  shop:1: {command: ['{python}', '-c', '']}\n"
)
WORKLOAD = """
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}, version: v1}}}}
    spec: {{containers: [{{name: app, image: "shop:1", ports: [{{containerPort: 8080}}]}}]}}
"""
RULES = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}}}
spec: {{host: {name}, subsets: [{{name: v1, labels: {{version: v1}}}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec:
  hosts: [{name}]
  http: [{{timeout: 2s, route: [{{destination: {{host: {name}, subset: v1}}}}]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  rules: [{{to: [{{operation: {{methods: [GET]}}}}]}}]
"""

CASES = """
cases:
  - name: s1 has a timeout
    request: {from: s0, url: "http://s1/"}
    expect: {workload: s1, timeout: 2s}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Twenty files: ten services, and rules for each of them."""
    for folder in ("mesh", "rules"):
        (tmp_path / folder).mkdir()
    (tmp_path / "meshproof.yaml").write_text(PROJECT)
    for number in range(10):
        name = f"s{number}"
        (tmp_path / f"mesh/{name}.yaml").write_text(WORKLOAD.format(name=name))
        (tmp_path / f"rules/{name}.yaml").write_text(RULES.format(name=name))
    return tmp_path


def imported_by(*argv: str, cwd: Path = ROOT, stdin: bytes = b"") -> set[str]:
    """The modules of ours and of other packages, once the command has succeeded."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *argv],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MESHPROOF_NAME": "shop"},
        input=stdin,
        capture_output=True,
        check=True,
    )
    *_, end, modules = done.stderr.decode().splitlines()
    assert end == "exit 0", done.stderr.decode()
    return set(modules.split())


def packages_of(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def ours_in(modules: set[str], *prefixes: str) -> list[str]:
    return sorted(m for m in modules if m.startswith(prefixes))


def test_check_imports_neither_the_translator_nor_envoys_schema(project: Path) -> None:
    modules = imported_by("check", cwd=project)
    heavy = {"google", "envoy", "grpc", "aiohttp", "cryptography", "rich", "jwt", "asyncio"}
    assert not packages_of(modules) & heavy
    kinds = ("v1alpha2", "http_route", "grpc_route", "gateway_api", "kube_hpa", "kube_ingress")
    assert ours_in(modules, *(f"meshproof.model.{kind}" for kind in kinds)) == []
    unused = ("meshproof.xds", "meshproof.explain", "meshproof.control", "meshproof.mesh")
    assert ours_in(modules, *unused, "meshproof.istio04.lower", "meshproof.gateway_api") == []
    assert len(modules) <= 290, sorted(modules)


def test_apply_is_a_thin_client(fake: object) -> None:
    modules = imported_by("apply", "-f", "-", stdin=b"A")
    heavy = {"pydantic", "pydantic_core", "yaml", "rich", "google", "aiohttp", "asyncio"}
    assert not packages_of(modules) & heavy
    unused = ("meshproof.model", "meshproof.mesh", "meshproof.admission", "meshproof.project_file")
    assert ours_in(modules, *unused) == []
    assert len(modules) <= 85, sorted(modules)


def test_static_cases_start_nothing_that_a_mesh_runs_with(project: Path) -> None:
    (project / "rules/s1_test.yaml").write_text(CASES)
    modules = imported_by("test", cwd=project)
    assert not packages_of(modules) & {"grpc", "aiohttp", "cryptography", "rich", "asyncio"}
    unused = ("meshproof.embedded.engine", "meshproof.xds.server", "meshproof.control")
    assert ours_in(modules, *unused, "meshproof.mesh") == []
    assert len([m for m in modules if m.startswith("meshproof")]) <= 360
