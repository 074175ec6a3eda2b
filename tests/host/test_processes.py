"""Processes are found by their run id."""

from __future__ import annotations

import os
import subprocess

import pytest

from meshproof.host import process_identity
from meshproof.host.process_identity import RUN_ID_VARIABLE
from meshproof.host.processes import find_marked, find_run, kill_run
from tests.fakes.until import until


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's meshes have processes of other users")
def test_a_run_s_process_of_another_user_is_its_own_and_not_of_this_user_s_others() -> None:
    run_id = process_identity.new_run_id()
    with subprocess.Popen(
        ["sleep", "1000"], env={RUN_ID_VARIABLE: run_id, "PATH": "/bin:/usr/bin"}, user=65534
    ) as process:
        until(lambda: find_run(run_id), "it runs")
        assert run_id not in {p.run_id for p in find_marked()}
        assert [p.pid for p in kill_run(run_id)] == [process.pid]
