"""The command line's Typer application, with which every command registers itself."""

from __future__ import annotations

from typing import Annotated

import typer

from meshproof.cli.output import Verbosity, set_verbosity
from meshproof.errors import UsageError

app = typer.Typer(
    name="meshproof",
    help="A service mesh on this machine, and proofs that it does what its rules say.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


_Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print warnings and errors only.")]
_Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Print everything that the command waits for.")
]


@app.callback()
def set_options(*, quiet: _Quiet = False, verbose: _Verbose = False) -> None:
    """A service mesh on this machine, and proofs that it does what its rules say."""
    if quiet and verbose:
        raise UsageError("wanted -q or -v, not both")
    set_verbosity(Verbosity.QUIET if quiet else Verbosity.VERBOSE if verbose else Verbosity.NORMAL)
