"""``exec``: run a command as a workload would."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Name, Workload, client
from meshproof.errors import MeshproofError, UsageError
from meshproof.host.process_identity import RUN_ID_VARIABLE


class CommandError(MeshproofError):
    """The command did not start. Exit codes as a shell's: 127 for no such program, 126 for one that
    cannot be run."""

    def __init__(self, command: str, error: OSError) -> None:
        self.exit_code = 127 if isinstance(error, FileNotFoundError) else 126
        super().__init__(f"{command}: {error.strerror}")


@app.command("exec", context_settings={"allow_interspersed_args": False})
def exec_(
    workload: Workload,
    command: Annotated[list[str], typer.Argument(metavar="-- CMD...", show_default=False)],
    name: Name = DEFAULT_NAME,
) -> None:
    """Run a command as a workload would, so that its requests go through the sidecar.

    On a cluster it runs in the workload's pod; otherwise here, with the workload's environment.
    """
    name, argv = _split_name(command, name)
    argv = argv[1:] if argv[:1] == ["--"] else argv
    if not argv:
        raise UsageError("exec: no command; wanted exec WORKLOAD -- CMD...")
    mesh = client(name)
    prefix = mesh.command(workload, terminal=sys.stdin.isatty() and sys.stdout.isatty())
    argv = [*prefix, *argv]
    env = dict(os.environ) if prefix else mesh.environment(workload)
    # The command is the caller's, not the mesh's: it is not ended with the mesh.
    env.pop(RUN_ID_VARIABLE, None)
    env["PATH"] = os.environ.get("PATH", os.defpath)
    try:
        os.execvpe(argv[0], argv, env)  # noqa: S606  (this process becomes the command)
    except OSError as error:
        raise CommandError(argv[0], error) from None


def _split_name(arguments: list[str], name: str) -> tuple[str, list[str]]:
    """The mesh's name, which may follow the workload, and the rest: all other options are the
    command's."""
    first, _, value = arguments[0].partition("=")
    if first != "--name":
        return name, arguments
    if value:
        return value, arguments[1:]
    if len(arguments) == 1:
        raise UsageError("exec: --name without a name; wanted exec WORKLOAD --name NAME -- CMD...")
    return arguments[1], arguments[2:]
