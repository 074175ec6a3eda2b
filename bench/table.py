"""The table: rich's on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, Part

_MET = {True: "met", False: "MISSED", None: ""}
_STYLE = {True: "green", False: "bold red", None: "dim"}


def value_text(figure: Figure) -> str:
    """Three significant digits, no exponent: ``0.853``, ``12.3 ms``, ``1,310 /s``."""
    value = figure.value
    if value != value:  # noqa: PLR0124 - a NaN: nothing was measured
        return "none"
    if value == int(value) and abs(value) < 1000:
        text = f"{value:.0f}"
    else:
        size = abs(value)
        digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
        text = f"{value:,.{digits}f}"
    return f"{text} {figure.unit}".strip()


def row(figure: Figure) -> tuple[str, str, str, str, str]:
    """Name, figure, target, whether it is met, note."""
    target = "" if figure.target is None else str(figure.target)
    return figure.name, value_text(figure), target, _MET[figure.met], figure.note


def plain(parts: Sequence[Part]) -> str:
    """Lines in columns, for files and pipes."""
    rows = [row(f) for part in parts for f in part.figures]
    widths = [max((len(r[i]) for r in rows), default=0) for i in range(4)]
    lines = []
    for part in parts:
        lines.append(part.title)
        for cells in map(row, part.figures):
            columns = (c.ljust(w) for c, w in zip(cells, widths, strict=False))
            lines.append(f"  {'  '.join(columns)}  {cells[4]}".rstrip())
    return "\n".join(lines)


def show(parts: Sequence[Part], machine: str, console: Console) -> None:
    """Print everything on ``console``."""
    if not console.is_terminal:
        console.print(f"{machine}\n{plain(parts)}", soft_wrap=True, markup=False, highlight=False)
        return
    table = Table(title=machine, title_justify="left", header_style="bold")
    for heading in ("what", "figure", "target", "", "measured on"):
        table.add_column(heading, justify="right" if heading == "figure" else "left")
    for part in parts:
        table.add_section()
        table.add_row(f"[bold]{part.title}[/bold]")
        for figure in part.figures:
            name, value, target, met, note = row(figure)
            table.add_row(name, value, target, met, note, style=_STYLE[figure.met] or None)
    console.print(table)
