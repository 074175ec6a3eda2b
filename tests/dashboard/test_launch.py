"""A dashboard as a process beside a mesh: there while it is wanted, and gone however that ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from meshproof.dashboard.launch import run_beside
from meshproof.host import process_identity, processes
from tests.fakes.mesh import FakeMesh

pytestmark = pytest.mark.long


_OWNER = (
    "import sys, time; from pathlib import Path\n"
    "from meshproof.dashboard.launch import run_beside\n"
    "with run_beside('shop', sys.argv[1], Path('rules'), Path(sys.argv[2])) as address:\n"
    "    print(address, flush=True); time.sleep(600)\n"
)


def children(run_id: str) -> list[processes.MarkedProcess]:
    return processes.find_run(run_id)


def wait_until_ended(pid: int) -> None:
    """Return when a process that is not our child has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    import select

    try:
        assert select.select([handle], [], [], 20)[0], f"process {pid} lives on"
    finally:
        os.close(handle)


def test_it_answers_at_once_and_ends_with_its_block(fake: FakeMesh, tmp_path: Path) -> None:
    run_id = process_identity.new_run_id()
    with run_beside("shop", run_id, tmp_path, tmp_path / "log") as address:
        assert requests.get(address, timeout=300).status_code == 200
        (process,) = children(run_id)
        assert "token" not in process.command
        assert address.partition("token=")[2] not in process.command
    wait_until_ended(process.pid)
    assert (tmp_path / "log").read_text() == ""
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=300)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_an_owner_that_is_killed(
    fake: FakeMesh, tmp_path: Path, number: signal.Signals
) -> None:
    run_id = process_identity.new_run_id()
    command = [sys.executable, "-c", _OWNER, run_id, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        address = owner.stdout.readline().strip()
        assert requests.get(address, timeout=300).status_code == 200
        (process,) = children(run_id)
        owner.send_signal(number)
    wait_until_ended(process.pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_address_and_ends_by_a_signal(
    fake: FakeMesh, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "meshproof.cli", "dashboard", "--name", "shop"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", address)
        assert requests.get(address, timeout=300).status_code == 200
        process.send_signal(number)
        _, output = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "the dashboard has ended" in output
    assert "Traceback" not in output


def test_the_command_wants_a_mesh(runtime_dir: Path) -> None:
    command = [sys.executable, "-m", "meshproof.cli", "dashboard", "--name", "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2
    assert "no mesh named none is running" in done.stderr
