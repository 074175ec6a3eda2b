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
        "import sys; from meshproof.cli.main import import_commands;"
        " from meshproof.cli.app import app;"
        " import_commands(['apply']); app(['apply', '-f', '-'], standalone_mode=False);"
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


def test_a_command_imports_no_other() -> None:
    code = (
        "import sys; sys.argv = ['meshproof', 'check', '-h']; from meshproof.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith('meshproof.cli.commands.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "['meshproof.cli.commands.check']"


def test_help_lists_every_command(cli: Cli) -> None:
    cli("check", "-h")  # of which only one is imported
    text = cli("--help").out
    files = (ROOT / "meshproof/cli/commands").glob("[a-z]*.py")
    names = [f.stem.replace("_", "-") for f in files]
    lines = [
        line.split()[0] for line in text.splitlines() if line.startswith("  ") and line.split()
    ]
    assert {n for n in lines if n in names} == set(names)


MISSING = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {modules}:
            raise ModuleNotFoundError('No module named ' + name, name=name)
sys.meta_path.insert(0, Blocked())
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda n, *a: None if n.partition('.')[0] in {modules} else real(n, *a)
sys.argv = {argv}
from meshproof.cli.main import main
main()
"""


@pytest.mark.parametrize(
    ("argv", "modules", "extra"),
    [
        (["load"], {"locust"}, "load"),
        (["load"], {"jinja2"}, "load"),
        (["release", "svcb", "--to", "v2"], {"jinja2"}, "load"),
        (["dashboard"], {"plotly"}, "dashboard"),
    ],
)
def test_a_missing_extra_is_named_with_its_command(
    fake: FakeMesh, argv: list[str], modules: set[str], extra: str
) -> None:
    code = MISSING.format(modules=modules, argv=["meshproof", *argv])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "MESHPROOF_NAME": "shop"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert f"install it by: pip install 'meshproof[{extra}]'" in done.stderr
