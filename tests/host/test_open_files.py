"""Pods of a process that holds many open files itself."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from meshproof.host.pods import Pods
from meshproof.model.pod_network import MESH_NAMESPACE_FD
from tests.host.conftest import A, PodScript, Run


@pytest.mark.parametrize("free", range(MESH_NAMESPACE_FD - 10, MESH_NAMESPACE_FD + 1))
def test_the_mesh_process_may_have_any_number_of_open_files(
    in_pods: Callable[[PodScript], Run], free: int
) -> None:
    """The supervisor inherits sockets by their numbers here, and keeps the mesh's network under a
    number of its own."""
    null = os.open("/dev/null", os.O_RDONLY)
    held = [null]
    while held[-1] < free - 1:
        held.append(os.dup(null))

    async def script(_run: Run, pods: Pods) -> None:
        with pods.make_socket("a", bind=(A, 8080), backlog=1) as listener:
            assert listener.getsockname() == (A, 8080)

    try:
        in_pods(script)
    finally:
        for handle in held:
            os.close(handle)
