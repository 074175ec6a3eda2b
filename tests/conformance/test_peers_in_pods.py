"""Peers' suites on a mesh in pods: the copy that is adapted, and where its requests come from."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.peers import in_pod
from conformance.peers.adaptation import ADDITIONS, adapt
from conformance.peers.pod_calls import NAKED, Request, sender
from conformance.peers.requests import CASES as OWN_CASES
from conformance.peers.requests import FILES
from meshproof.model.reader import read_text

CLIENT = "import json, sys; print(json.dumps([[r, 'in the pod'] for r in json.load(sys.stdin)]))"


class Control:
    """A mesh's control client: pods of two workloads, if any."""

    def __init__(self, *, pods: bool) -> None:
        self._pods = pods
        self.asked: list[str] = []

    def command(self, workload: str, *, terminal: bool) -> tuple[str, ...]:
        assert not terminal, "a suite's requests come by standard input"
        self.asked.append(workload)
        return ("env",) if self._pods else ()

    def status(self) -> dict[str, Any]:
        return {
            "replicas": [
                {"namespace": "default", "workload": "foo", "address": "127.60.1.1"},
                {"namespace": "default", "workload": NAKED, "address": "127.60.1.2"},
            ]
        }


class Mesh:
    def __init__(self, *, pods: bool) -> None:
        self.c = Control(pods=pods)


def _send(mesh: Mesh, workload: str, request: Request, tmp_path: Path) -> Any:
    client = tmp_path / "client.py"
    client.write_text(CLIENT)

    def as_it_was(_mesh: Any, _workload: str, requests: Sequence[Request]) -> list[Any]:
        return [[r, "from this machine"] for r in requests]

    (result,) = sender(as_it_was, sys.executable, str(client))(mesh, workload, [request])
    return result


def test_a_request_is_sent_from_inside_the_pod_to_the_address_itself(tmp_path: Path) -> None:
    mesh = Mesh(pods=True)
    result = _send(mesh, "default/a", {"address": "b", "port": 80}, tmp_path)
    assert result == [{"address": "b", "port": 80, "direct": True}, "in the pod"]
    assert mesh.c.asked == ["default/a"]


def test_the_address_of_a_pod_is_filled_in_for_every_caller(tmp_path: Path) -> None:
    sent, _ = _send(Mesh(pods=True), "default/a", {"address": "{ip:default/foo}"}, tmp_path)
    assert sent["address"] == "127.60.1.1"


def test_a_caller_without_a_sidecar_reaches_a_pod_from_a_naked_one(tmp_path: Path) -> None:
    mesh = Mesh(pods=True)
    assert _send(mesh, "gateway", {"address": "127.60.1.1"}, tmp_path)[1] == "in the pod"
    assert mesh.c.asked == [f"default/{NAKED}"]


@pytest.mark.parametrize(
    ("pods", "workload"), [(True, "gateway"), (False, "gateway"), (False, "default/a")]
)
def test_the_rest_is_sent_as_the_suite_does(pods: bool, workload: str, tmp_path: Path) -> None:
    request = {"address": "127.0.0.1" if pods else "127.60.1.1"}
    assert _send(Mesh(pods=pods), workload, request, tmp_path) == [request, "from this machine"]


def test_every_name_has_an_address_in_a_pod() -> None:
    (*_, (host, port)) = in_pod.resolve("nobody.invalid", 80, socket.AF_INET, socket.SOCK_STREAM)[0]
    assert (host, port) == (in_pod.NOBODY, 80)


CASES = """
- group: jwt
  name: own keys
  config: |
    jwks: '{"keys": [1]}'
  calls: [{name: a, from: x, req: {}, check: []}]
- group: normalization
  name: None
  not_portable: there is no mesh config
  calls: [{name: "-", from: x, req: {}, check: []}]
"""


@pytest.mark.parametrize("file", FILES)
def test_every_configuration_of_a_request_is_taken(file: str) -> None:
    """Addresses of pods are filled in by the suites' runner."""
    for group, name, config, calls in (case for write in OWN_CASES[file] for case in write([])):
        text = re.sub(r"\{ip:[^}]+\}", "127.60.1.1", config or "")
        assert not text or read_text(text, f"{group}/{name}")
        assert calls


def test_a_copy_gets_resources_keys_requests_and_the_hook(tmp_path: Path) -> None:
    (tmp_path / "istio").mkdir()
    base = tmp_path / "istio" / "base2.yaml"
    base.write_text("kind: Namespace\n")
    cases = tmp_path / "istio" / "security.yaml"
    cases.write_text(CASES)
    (tmp_path / "lib.py").write_text("x = 1\n")
    (tmp_path / "echo").mkdir()
    (tmp_path / "echo" / "echo.py").write_text('if kind == "tcp":\n    y = 2\n')
    assert adapt(tmp_path) == {"MESHPROOF_PODS": "auto"}
    assert base.read_text().startswith("kind: Namespace\n\n---\n")
    assert "numTrustedProxies: 1" in base.read_text()
    assert (tmp_path / "istio/tests/common/jwt/jwks.json").read_text() == '{"keys": [1]}'
    assert "or not first[:1].isupper():\n" in (tmp_path / "echo" / "echo.py").read_text()
    other, sent = yaml.safe_load(cases.read_text())
    assert other == yaml.safe_load(CASES)[0]
    assert "not_portable" not in sent
    assert "normalization: NONE" in sent["config"]
    (call,) = sent["calls"]
    assert call["req"]["path"] == call["check"][0][1]
    library = (tmp_path / "lib.py").read_text()
    assert library.startswith("x = 1\n")
    assert "pod_calls.sender(" in library


@pytest.mark.parametrize("file", sorted(ADDITIONS.glob("*.yaml")), ids=lambda file: file.name)
def test_additions_are_resources_that_the_mesh_takes(file: Path) -> None:
    assert read_text(file.read_text(), file.name)
