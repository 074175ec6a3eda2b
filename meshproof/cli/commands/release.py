"""``release``: move a service's calls to a new version by steps, with a judge at each."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Artifacts, Format, Name, Output, client
from meshproof.cli.output import show_json, tell
from meshproof.control.client import Client
from meshproof.errors import UsageError
from meshproof.mesh import AccessRecord
from meshproof.release.judge import Limits

_DEFAULT = Limits()


class _ClientMesh:
    """``release.evidence.ReleaseMesh`` over the control socket."""

    def __init__(self, asked: Client, namespace: str) -> None:
        self._client, self._namespace = asked, namespace

    def apply(self, text: str) -> float:
        applied = self._client.apply([("<release>", text)], self._namespace, strict=False)
        return float(applied["seconds"])

    def tail(self, host: str, cursor: str) -> tuple[Iterable[AccessRecord], str]:
        said = self._client.tail(host, cursor)
        return (AccessRecord(**record) for record in said["records"]), said["cursor"]


@app.command()
def release(
    service: Annotated[str, typer.Argument(help="NAME or NAMESPACE/NAME.", show_default=False)],
    *,
    to: Annotated[str, typer.Option(help="The new version: its pods' label.")] = "",
    from_: Annotated[str, typer.Option("--from", help="The old one; else what gets most.")] = "",
    steps: Annotated[str, typer.Option(help="Percentages, the last one 100.")] = "1,5,25,50,100",
    alpha: Annotated[float, typer.Option(help="A good version is rolled back so often.")] = (
        _DEFAULT.alpha
    ),
    beta: Annotated[float, typer.Option(help="A harmful step is taken so often.")] = _DEFAULT.beta,
    more_failures: Annotated[float, typer.Option(help="Harm: so many of 100 calls more.")] = (
        100 * _DEFAULT.margin_failed
    ),
    more_ms: Annotated[float, typer.Option(help="Harm: so much longer on average.")] = (
        _DEFAULT.margin_ms
    ),
    tolerated_ms: Annotated[float, typer.Option(help="So much slower is no reason.")] = (
        _DEFAULT.tolerated_ms
    ),
    step_limit: Annotated[float, typer.Option(help="Seconds until the next look must come.")] = 600,
    grace: Annotated[float, typer.Option(help="Killed: seconds until the mesh undoes it.")] = 10,
    abort: Annotated[bool, typer.Option("--abort", help="Roll back one that was left.")] = False,
    artifacts: Artifacts = Path("artifacts"),
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Move weight to a new version step by step; go on, or roll back, as the evidence says.

    Exits with 1 where it was rolled back. Killed, it is taken up by the same command, or undone by
    the mesh.
    """
    import yaml  # noqa: PLC0415 (all of these are slow to import)

    from meshproof.cli.release_report import ReleaseReport  # noqa: PLC0415
    from meshproof.release import start  # noqa: PLC0415
    from meshproof.release.controller import ReleaseController  # noqa: PLC0415
    from meshproof.release.journal import Journal  # noqa: PLC0415
    from meshproof.release.state import Plan  # noqa: PLC0415

    if not to and not abort:
        raise UsageError("release: wanted --to VERSION, such as --to v0.2")
    mesh = client(name)
    place = start.locate(service, mesh.status()["resources"])
    ledger = Journal(Path(mesh.entry.run_dir), *place)
    rules = list(yaml.safe_load_all(mesh.rules()))
    if abort:
        began = start.abort(rules, ledger, place[1])
    else:
        limits = Limits(alpha, beta, more_failures / 100, more_ms, tolerated_ms)
        asked = Plan(place[1], place[0], from_, to, _steps(steps), limits)
        began = start.start(rules, ledger, asked)
    plan, out = began.entry.course.plan, tell if output is Format.JSON else print
    undo = began.rule.moved(plan.old, plan.new, 0)
    hold = mesh.hold(f"release {'/'.join(place)}", [("<release>", undo)], place[0], grace)
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    report = ReleaseReport(mesh, _ClientMesh(mesh, place[0]), began.rule, artifacts)
    tell(f"report: {report.page}")
    if began.note:
        out(began.note)

    def told(line: str) -> None:
        out(line)
        report.said(line)

    conductor = ReleaseController(report, began.rule, ledger, told)
    try:
        outcome = conductor.run(began.entry, step_limit=step_limit)
    except (KeyboardInterrupt, SystemExit):
        hold.release()
        raise
    hold.release()
    report.leave(outcome)
    if output is Format.JSON:
        show_json(_as_dict(outcome.course.phase, outcome.why, asdict(outcome.hurt)))
    if not outcome.released:
        raise typer.Exit(1)


def _as_dict(phase: str, why: str, hurt: dict[str, Any]) -> dict[str, Any]:
    return {"outcome": phase, "why": why, "hurt": hurt}


def _steps(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"release: --steps {text!r}: wanted whole numbers, such as 1,5,25,50,100")
    return tuple(int(part) for part in parts)
