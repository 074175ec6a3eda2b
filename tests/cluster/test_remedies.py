"""What a new user's machine may lack is reported with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import MeshproofError
from tests.fakes.cluster_machine import Machine, mesh_on, recorded

_DENIED = (1, "", "permission denied while trying to connect to the Docker daemon socket\n")


@pytest.mark.parametrize(
    ("part", "output", "remedy"),
    [
        ("docker info", recorded("docker version", "no daemon"), "start Docker"),
        ("kind create", recorded("kind create", "image cannot be pulled"), "KIND_NODE_IMAGE"),
        ("kind load", recorded("kind load docker-image no/such"), "the image is not built"),
        ("install -y", recorded("istioctl", "never ready"), "ISTIO_HUB and ISTIO_TAG"),
        ("docker run", recorded("docker run", "name taken"), "already in use"),
        (
            "kind create",
            (1, "", "ERROR: failed to create cluster: could not watch: too many open files\n"),
            "max_user_instances",
        ),
        ("docker build", (1, "", "write /x: no space left on device\n"), "the disk is full"),
        ("docker info", _DENIED, "usermod"),
        (
            "apply",
            (1, "", 'Internal error occurred: failed calling webhook "validation.istio.io"\n'),
            "istiod does not answer",
        ),
        (
            "apply",  # as a node that is out of memory, or Docker that died, made kubectl say it
            (1, "", 'error: error validating "STDIN": error validating data: failed to download '
             'openapi: Get "https://127.0.0.1:42515/openapi/v2?timeout=32s": dial tcp '
             "127.0.0.1:42515: connect: connection refused\n"),
            "`docker ps` shows whether its nodes run",
        ),
        ("docker run", (125, "", "port is already allocated.\n"), "another process has that port"),
    ],
)  # fmt: skip
def test_what_a_machine_lacks_is_said_with_a_remedy(
    machine: Machine, tmp_path: Path, part: str, output: tuple[int, str, str], remedy: str
) -> None:
    machine.fail(part, output)
    mesh = mesh_on(machine, tmp_path)
    with pytest.raises(MeshproofError) as caught:
        mesh.up()
    assert remedy in str(caught.value)
    assert "exit code" in str(caught.value)
    begun = bool(machine.ran("kind create"))
    machine.fail("kind", (1, "", "all is broken"))
    mesh.down()  # as whoever called up does; it must not hide what was wrong
    assert bool(machine.ran("kind delete")) == begun, "what was begun is taken away"
