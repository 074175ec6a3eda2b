"""The entry point of the command line: imports the command, and turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence

from typer import Typer
from typer.models import CommandInfo

from meshproof.cli import commands
from meshproof.cli.app import app as application
from meshproof.cli.output import format_error, print_message
from meshproof.errors import MeshproofError
from meshproof.extras import missing_extra


def import_commands(arguments: Sequence[str]) -> None:
    """Register the command that is called; all of them where help or a mistake lists them."""
    names = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
    called = next((a for a in arguments if not a.startswith("-")), "").replace("-", "_")
    for name in [called] if called in names else names:
        importlib.import_module(f"{commands.__name__}.{name}")
    application.registered_commands.sort(key=_name_of)  # as --help lists them


def __getattr__(name: str) -> Typer:
    """``app``: the application with every command, for whoever calls it as a library."""
    if name != "app":
        raise AttributeError(name)
    import_commands(())
    return application


def _name_of(command: CommandInfo) -> str:
    return command.name or (command.callback.__name__ if command.callback else "")


def main() -> None:
    """Run the command line, and exit: 0, 1 for a failure, 2 for arguments or files that are
    refused, and for a command whose packages are not installed."""
    # Else pydantic asks every installed package for plugins, before the first model is read.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        import_commands(sys.argv[1:])
        application()
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is None:
            raise
        print_message(format_error(missing))
        sys.exit(missing.exit_code)
    except MeshproofError as error:
        print_message(format_error(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt as interrupt:
        sys.exit(getattr(interrupt, "exit_code", 130))


if __name__ == "__main__":
    main()
