"""``report compare``: two reports of proofs, loads or releases beside one another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import Format, Output
from meshproof.cli.output import show_json, show_table

if TYPE_CHECKING:
    from meshproof.report.compare import Comparison

_MOST = 12
"""Ratios that are shown; ``-o json`` has all."""
Path_ = Annotated[Path, typer.Argument(help="A report, or its folder.", show_default=False)]

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(commands, name="report")


@commands.callback()
def report() -> None:
    """Compare the reports that runs leave in artifacts/."""


@commands.command("compare")
def compare(before: Path_, after: Path_, output: Output = Format.TEXT) -> None:
    """Print what came out differently, and figures as ratios. Exit code 1 where something is not
    as it must be that was before."""
    from meshproof.report import sections  # noqa: PLC0415 (not paid by other commands)
    from meshproof.report.compare import compare as compared  # noqa: PLC0415

    found = compared(sections.read(before), sections.read(after))
    if output is Format.JSON:
        show_json(found.as_dict())
    else:
        _show(found)
    if found.worse:
        raise typer.Exit(1)


def _show(found: Comparison) -> None:
    for name, (one, other) in found.environment.items():
        print(f"{name}: {one or '(none)'} -> {other or '(none)'}")
    if found.differences:
        show_table(
            ("", "Before", "After"),
            [(("WORSE " if d.worse else "") + d.what, d.before or "(not there)",
              d.after or "(not there)") for d in found.differences],
        )  # fmt: skip
    else:
        print("every outcome is the same")
    if found.ratios:
        show_table(
            ("Figure", "Of", "Before", "After", "Times"),
            [(r.figure, r.what, f"{r.before:.4g}", f"{r.after:.4g}", f"{r.times:.2f}")
             for r in found.ratios[:_MOST]],
        )  # fmt: skip
        if len(found.ratios) > _MOST:
            print(f"and {len(found.ratios) - _MOST} nearer to 1; -o json has all")
