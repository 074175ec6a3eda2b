"""``sweep``: remove what killed meshes left behind."""

from __future__ import annotations

from pathlib import Path

from meshproof.cli.app import app
from meshproof.cli.options import Format, Output
from meshproof.cli.output import print_message, show_json
from meshproof.host.sweep import sweep as sweep_host


@app.command()
def sweep(output: Output = Format.TEXT) -> None:
    """Remove what killed meshes left behind; running meshes are not touched."""
    done = sweep_host()
    clusters = _sweep_clusters()
    if output is Format.JSON:
        show_json({**done.as_dict(), "clusters": clusters})
        return
    for cluster in clusters:
        print(f"deleted kind cluster {cluster}")
    for process in done.processes:
        print(f"ended process {process.pid}: {process.command}")
    for folder in done.folders:
        print(f"removed {folder}")
    for path in done.names:
        print(f"forgot mesh {path.stem}")
    if not done and not clusters:
        print_message("nothing was left")


def _sweep_clusters() -> list[str]:
    """Runs no command where no cluster was ever made on this machine."""
    from meshproof.cluster.sweep import orphaned_clusters  # noqa: PLC0415  (rare)

    if not orphaned_clusters():
        return []
    from meshproof.cluster.commands import Commands  # noqa: PLC0415
    from meshproof.cluster.sweep import sweep as sweep_clusters  # noqa: PLC0415

    return sweep_clusters(Commands(Path("artifacts") / "commands.log"))
