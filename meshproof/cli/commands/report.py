"""``report compare``: the differences between two reports of proofs, loads or releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshproof.cli.app import app
from meshproof.cli.options import Format, Output
from meshproof.cli.output import show_json, show_table

if TYPE_CHECKING:
    from meshproof.report.compare import Comparison

_RATIOS = 12
"""How many ratios are shown; ``-o json`` has all."""
Path_ = Annotated[Path, typer.Argument(help="A report, or its folder.", show_default=False)]

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(commands, name="report")


@commands.callback()
def report() -> None:
    """Compare the reports that runs leave in artifacts/."""


@commands.command("compare")
def compare(before: Path_, after: Path_, output: Output = Format.TEXT) -> None:
    """Print changed outcomes, and figures as ratios. Exit code 1 if something that passed before
    now fails."""
    from meshproof.report import sections  # noqa: PLC0415 (not paid by other commands)
    from meshproof.report.compare import compare as compare_reports  # noqa: PLC0415

    comparison = compare_reports(sections.read_report(before), sections.read_report(after))
    if output is Format.JSON:
        show_json(comparison.as_dict())
    else:
        _show(comparison)
    if comparison.worse:
        raise typer.Exit(1)


def _show(comparison: Comparison) -> None:
    for name, (one, other) in comparison.environment.items():
        print(f"{name}: {one or '(none)'} -> {other or '(none)'}")
    if comparison.differences:
        show_table(
            ("", "Before", "After"),
            [(("WORSE " if d.worse else "") + d.what, d.before or "(not there)",
              d.after or "(not there)") for d in comparison.differences],
        )  # fmt: skip
    else:
        print("every outcome is the same")
    if comparison.ratios:
        show_table(
            ("Figure", "Of", "Before", "After", "Times"),
            [(r.figure, r.what, f"{r.before:.4g}", f"{r.after:.4g}", f"{r.times:.2f}")
             for r in comparison.ratios[:_RATIOS]],
        )  # fmt: skip
        if len(comparison.ratios) > _RATIOS:
            print(f"and {len(comparison.ratios) - _RATIOS} nearer to 1; -o json has all")
