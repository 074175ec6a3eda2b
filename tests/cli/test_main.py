"""The command line as a whole: without a mesh, with bad usage, and what it imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mesh import FakeMesh

Cli = Any
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("verb", [("ls",), ("apply", "-f", "-"), ("down",), ("logs", "a")])
def test_without_a_mesh_a_verb_says_so(runtime_dir: Path, cli: Cli, verb: tuple[str, ...]) -> None:
    done = cli(*verb)
    assert done.code == 2
    assert done.err == "error: no mesh named shop is running; start one: meshproof up\n"


def test_usage_errors_are_plain_and_exit_2(cli: Cli) -> None:
    done = cli("apply")
    assert done.code == 2
    assert done.err == (
        "error: apply: wanted -f FILE: a YAML file, a folder, or - for standard input\n"
    )
    assert cli("curl").code == 2


def test_client_commands_import_nothing_heavy(fake: FakeMesh) -> None:
    # pydantic is not in the list: typer itself loads it, whatever its commands do.
    code = (
        "import sys; from meshproof.cli.main import app;"
        " app(['apply', '-f', '-'], standalone_mode=False);"
        " print(sorted({'grpc', 'aiohttp', 'scipy', 'yaml', 'rich', 'asyncio',"
        " 'requests'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "MESHPROOF_NAME": "shop"},
        input=b"A",
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"File <stdin> created\n"
    assert done.stderr.splitlines()[-1] == b"[]"
