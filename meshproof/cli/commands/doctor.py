"""``doctor``: what this machine lacks, and what that costs."""

from __future__ import annotations

from dataclasses import asdict

import typer

from meshproof.cli.app import app
from meshproof.cli.options import Format, Output
from meshproof.cli.output import show_json, show_table


@app.command()
def doctor(output: Output = Format.TEXT) -> None:
    """Look at Python, glibc, Envoy, namespaces, ports, disk, inotify, extras, Docker and kind.

    Starts nothing. Exit code 1 if an embedded mesh cannot run here.
    """
    from meshproof.cli.machine_checks import can_run, find_all  # noqa: PLC0415  (slow to import)
    from meshproof.host.registry import state_folder  # noqa: PLC0415

    findings = list(find_all(state_folder()))
    if output is Format.JSON:
        show_json([{**asdict(f), "fine": f.is_fine} for f in findings])
    else:
        rows = [("ok" if f.is_fine else "missing", f.name, f.state) for f in findings]
        show_table(("", "what", "here"), rows)
        for finding in findings:
            if not finding.is_fine:
                print(f"{finding.name}: {finding.costs}; {finding.remedy}")
    if not can_run(findings):
        raise typer.Exit(1)
