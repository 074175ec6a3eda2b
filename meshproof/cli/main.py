"""The entry point of the command line: imports every command, and turns errors into exit codes."""

from __future__ import annotations

import importlib
import pkgutil
import sys

from meshproof.cli import commands
from meshproof.cli.app import app
from meshproof.cli.output import format_error, print_message
from meshproof.errors import MeshproofError

__all__ = ["app", "main"]

for _module in pkgutil.iter_modules(commands.__path__):  # by name, as --help lists them
    importlib.import_module(f"{commands.__name__}.{_module.name}")


def main() -> None:
    """Run the command line, and exit: 0, 1 for a failure, 2 for arguments or files that are
    refused."""
    try:
        app()
    except MeshproofError as error:
        print_message(format_error(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt as interrupt:
        sys.exit(getattr(interrupt, "exit_code", 130))


if __name__ == "__main__":
    main()
