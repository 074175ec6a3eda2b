"""The command line: which commands there are, and how errors end a call.

Importing this imports no command's heavy parts: ``meshproof apply`` is used in loops.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from meshproof.cli import (
    apply,
    check,
    convert,
    dashboard,
    down,
    events,
    explain,
    fault,
    init,
    inspect,
    load,
    logs,
    metrics,
    observe,
    plan,
    release,
    report,
    traces,
    up,
    version,
)
from meshproof.cli import exec as exec_cli
from meshproof.cli.output import Volume, described, say, set_volume
from meshproof.errors import MeshproofError, UsageError

app = typer.Typer(
    name="meshproof",
    help="A service mesh on this machine, and proofs that it does what its rules say.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


_Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say warnings and errors only.")]
_Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say all that is waited for.")]


@app.callback()
def volume(*, quiet: _Quiet = False, verbose: _Verbose = False) -> None:
    """A service mesh on this machine, and proofs that it does what its rules say."""
    if quiet and verbose:
        raise UsageError("wanted -q or -v, not both")
    set_volume(Volume.QUIET if quiet else Volume.VERBOSE if verbose else Volume.USUAL)


app.command()(up.up)
app.command()(apply.apply)
app.command()(apply.delete)
app.command()(check.check)
app.command()(init.init)
app.command()(convert.convert)
app.command()(inspect.ls)
app.command()(inspect.status)
app.command()(inspect.url)
app.command("exec", context_settings={"allow_interspersed_args": False})(exec_cli.exec_)
app.command()(exec_cli.curl)
app.command()(explain.explain)
app.command()(logs.logs)
app.command()(events.events)
app.command()(metrics.metrics)
app.command()(metrics.spans)
app.command()(traces.traces)
app.command()(load.load)
app.command()(observe.observe)
app.command()(dashboard.dashboard)
app.command()(apply.scale)
app.command()(fault.fault)
app.command()(release.release)
app.add_typer(report.app, name="report")
app.command()(inspect.dump)
app.command()(down.down)
app.command()(down.sweep)
app.command()(plan.plan)
app.command()(version.version)


def main() -> None:
    """Run the command line, and exit: 0, 1 for a failure, 2 for words or files that are refused."""
    try:
        app()
    except MeshproofError as error:
        say(described(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt as interrupt:
        sys.exit(getattr(interrupt, "exit_code", 130))


if __name__ == "__main__":
    main()
