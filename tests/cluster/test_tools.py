"""Tools that are missing, too old or silent are reported before anything is created."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.errors import MeshproofError
from tests.fakes.cluster_machine import Machine, mesh_on


def test_an_old_docker_says_inside_that_no_daemon_answers(machine: Machine, tmp_path: Path) -> None:
    info = {"ServerErrors": ["Cannot connect to the Docker daemon at unix:///x"]}
    machine.fail("docker info", (0, json.dumps(info), ""))
    with pytest.raises(MeshproofError, match=r"(?s)Docker does not answer.*start Docker"):
        mesh_on(machine, tmp_path).up()


def test_every_missing_or_old_tool_is_named_at_once(machine: Machine, tmp_path: Path) -> None:
    machine.missing = {"kind", "istioctl"}
    machine.fail("kubectl version", (0, '{"clientVersion": {"gitVersion": "v1.20.1"}}', ""))
    with pytest.raises(MeshproofError) as caught:
        mesh_on(machine, tmp_path).up()
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["kind", "kubectl", "istioctl"]
    assert "too old" in lines[1]
    assert "MESH=embedded" in lines[-1]
