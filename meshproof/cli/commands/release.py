"""``release``: move a service's calls to a new version step by step, under a judge."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Artifacts, Format, Name, Output, client
from meshproof.cli.output import print_info, show_json
from meshproof.control.client import Client
from meshproof.errors import UsageError
from meshproof.mesh import AccessRecord
from meshproof.release.judge import Limits

_DEFAULT = Limits()


class _ClientMesh:
    """``release.evidence.ReleaseMesh`` over the control socket."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client, self._namespace = client, namespace

    def apply(self, text: str) -> float:
        applied = self._client.apply([("<release>", text)], self._namespace, strict=False)
        return float(applied["seconds"])

    def tail(self, host: str, cursor: str) -> tuple[Iterable[AccessRecord], str]:
        tail = self._client.tail(host, cursor)
        return (AccessRecord(**record) for record in tail["records"]), tail["cursor"]


@app.command()
def release(
    service: Annotated[str, typer.Argument(help="NAME or NAMESPACE/NAME.", show_default=False)],
    *,
    to: Annotated[str, typer.Option(help="The new version: its pods' version label.")] = "",
    from_: Annotated[
        str, typer.Option("--from", help="The old version; by default the one with most weight.")
    ] = "",
    steps: Annotated[
        str, typer.Option(help="Weights of the new version in percent; the last is 100.")
    ] = "1,5,25,50,100",
    alpha: Annotated[float, typer.Option(help="How often a good version may be rolled back.")] = (
        _DEFAULT.alpha
    ),
    beta: Annotated[
        float, typer.Option(help="How often a harmful step may go undetected.")
    ] = _DEFAULT.beta,
    more_failures: Annotated[
        float, typer.Option(help="Harm: additional failures, in percent of calls.")
    ] = (100 * _DEFAULT.margin_failed),
    more_ms: Annotated[float, typer.Option(help="Harm: additional milliseconds on average.")] = (
        _DEFAULT.margin_ms
    ),
    tolerated_ms: Annotated[
        float, typer.Option(help="Slowdown that is no reason to roll back, in ms.")
    ] = (_DEFAULT.tolerated_ms),
    step_limit: Annotated[
        float, typer.Option(help="Seconds that a step may wait for enough calls.")
    ] = 600,
    grace: Annotated[
        float, typer.Option(help="Seconds until the mesh rolls back a killed release.")
    ] = 10,
    abort: Annotated[
        bool, typer.Option("--abort", help="Roll back a release that was left unfinished.")
    ] = False,
    artifacts: Artifacts = Path("artifacts"),
    output: Output = Format.TEXT,
    name: Name = DEFAULT_NAME,
) -> None:
    """Move weight to a new version step by step; roll back if it does harm.

    Exit code 1 if it was rolled back. A killed release is resumed by the same command, or rolled
    back by the mesh (docs/release.md).
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
    namespace, service = start.locate(service, mesh.status()["resources"])
    journal = Journal(Path(mesh.entry.run_dir), namespace, service)
    rules = list(yaml.safe_load_all(mesh.rules()))
    if abort:
        started = start.abort(rules, journal, service)
    else:
        limits = Limits(alpha, beta, more_failures / 100, more_ms, tolerated_ms)
        plan = Plan(service, namespace, from_, to, _parse_steps(steps), limits)
        started = start.start(rules, journal, plan)
    plan = started.entry.state.plan
    undo = [("<release>", started.rule.with_weight(plan.old, plan.new, 0))]
    hold = mesh.hold(f"release {namespace}/{service}", undo, namespace, grace)
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    report = ReleaseReport(mesh, _ClientMesh(mesh, namespace), started.rule, artifacts)
    print_info(f"report: {report.page}")
    print_line = print_info if output is Format.JSON else print
    if started.note:
        print_line(started.note)

    def log_step(line: str) -> None:
        print_line(line)
        report.add_step(line)

    controller = ReleaseController(report, started.rule, journal, log_step)
    try:
        outcome = controller.run(started.entry, step_limit=step_limit)
    except (KeyboardInterrupt, SystemExit):
        hold.release()
        raise
    hold.release()
    report.write(outcome)
    if output is Format.JSON:
        show_json(_as_dict(outcome.state.phase, outcome.why, asdict(outcome.impact)))
    if not outcome.released:
        raise typer.Exit(1)


def _as_dict(phase: str, why: str, hurt: dict[str, Any]) -> dict[str, Any]:
    return {"outcome": phase, "why": why, "hurt": hurt}


def _parse_steps(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"release: --steps {text!r}: wanted whole numbers, such as 1,5,25,50,100")
    return tuple(int(part) for part in parts)
