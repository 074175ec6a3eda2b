"""A release with a judge: a good v0.2 gets everything, a bad one is rolled back, at whose cost.

``docs/release.md`` says how often the judge errs. Here alpha is 1e-6, so that no good version is
rolled back by chance.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest

from e2e.payments.payment import is_notified
from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments
from e2e.support.cli_mesh import Cli, serve, wait_for_output
from e2e.support.processes import until
from meshproof.control.routes.release import SupportsRelease
from meshproof.mesh import STDIN, Capability, Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.test_run import Run
from meshproof.verdicts.verdict import conclude

pytestmark = [pytest.mark.long, pytest.mark.alone]


RELEASE = (
    "release", "svcb", "--to", "v0.2",
    "--alpha", "1e-6", "--beta", "1e-4", "--more-failures", "10",
    "--tolerated-ms", "20", "--more-ms", "200",
)  # fmt: skip
"""Errors so rare, and margins so wide, that a busy machine's own delays decide nothing."""
WEIGHTS = re.compile(r"v0\.2 gets (\d+) %: live")


@pytest.fixture
def cli(mesh: Mesh) -> Iterator[Cli]:
    if Capability.RELEASE not in mesh.capabilities:
        pytest.skip("this mesh has no release")
    canary = (RULES / "svcb_v0_1_90_v0_2_10.yaml").read_text()
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    all_old = canary.replace("weight: 90", "weight: 100").replace("weight: 10\n", "weight: 0\n")
    mesh.apply([Source(STDIN, all_old)])
    with serve(mesh) as cli:
        yield cli


def new_version(**bugs: str) -> str:
    """v0.2's Deployment, with bugs."""
    (text,) = (d for d in deployments("svcb", bugs).split("---\n") if "name: svcb-v0.2" in d)
    return text


def weights(output: str) -> list[int]:
    return [int(weight) for weight in WEIGHTS.findall(output)]


def test_a_good_version_reaches_everyone_and_no_payer_notices(
    cli: Cli, run: Run, load: StartLoad, judge: Judge
) -> None:
    running = load()
    code, output = cli.run(*RELEASE)
    results = running.reach(running.progress() + 100).stop()
    assert code == 0, output
    assert weights(output) == [1, 5, 25, 50, 100]
    assert "svcb v0.2 is released" in output
    assert {r.version for r in results.records[-50:]} == {"v0.2"}
    judge(no_failures("payers", results.records, run.access_log(), sent=results.sent))


@dataclass(frozen=True, slots=True)
class Bad:
    """A bad version: svcb's planned bugs, steps that show them soon, and what the judge says."""

    bugs: dict[str, str]
    steps: str
    why: str


BAD = {
    "fails-30-percent": Bad({"FAIL_PERCENT": "30"}, "25,50,100", "fails more often"),
    "500-ms-slower": Bad({"DELAY_MS": "500"}, "5,25,50,100", "more than 20 ms slower"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_version_is_rolled_back_and_who_was_hurt_is_said(
    mesh: Mesh, cli: Cli, load: StartLoad, judge: Judge, bad: Bad
) -> None:
    mesh.apply([Source(STDIN, new_version(**bad.bugs))])
    running = load()
    code, output = cli.run(*RELEASE, "--steps", bad.steps, "-o", "json")
    results = running.reach(running.progress() + 100).stop()
    assert "{" in output, output
    outcome, _ = json.JSONDecoder().raw_decode(output[output.index("{") :])
    assert (code, outcome["outcome"]) == (1, "rolled back"), output
    assert bad.why in outcome["why"]
    assert weights(output)[-1] == 0
    assert 100 not in weights(output)
    assert {r.version for r in results.records[-50:]} == {"v0.1"}
    failed = [r for r in results.records if not is_notified(r)]
    judge(
        conclude(
            "payers hurt",
            outcome["hurt"]["calls"],
            {"failed": len(failed), "slowed": outcome["hurt"]["slowed"]},
            [] if len(failed) == outcome["hurt"]["failed"] else ["the release counted otherwise"],
            wanted=f"as many as the release says: {outcome['hurt']['failed']} failed",
            found=f"{len(failed)} of {results.sent} payers not notified",
            allowed="no difference",
        )
    )
    assert {r.version for r in failed} <= {"v0.2"}


def test_a_release_that_was_killed_is_taken_up_where_it_stood(cli: Cli, load: StartLoad) -> None:
    running = load()
    with cli.start(*RELEASE, "--steps", "25,50,100", "--grace", "60") as killed:
        wait_for_output(killed, "gets 50 %")
    code, output = cli.run(*RELEASE, "--steps", "1,2,100")
    running.stop()
    assert code == 0, output
    assert re.search(r"resumed at 50 % \(\w+\), with its original plan", output)
    assert set(weights(output)) <= {50, 100}  # 50 again where that was not noted as live


def test_a_release_that_was_killed_and_left_is_undone_by_the_mesh(
    mesh: Mesh, cli: Cli, load: StartLoad
) -> None:
    with cli.start(*RELEASE, "--steps", "50,100", "--grace", "0.2") as killed:
        wait_for_output(killed, "gets 50 %")
    until(lambda: "weight: 50" not in cast("SupportsRelease", mesh).rules(), "the mesh undid it")
    assert "v0.2" not in load(requests=40).wait().sample().counts
    code, output = cli.run("release", "svcb", "--abort")
    assert "is rolled back to v0.1" in output
    assert code == 1


def test_an_interrupted_release_rolls_back_by_itself(cli: Cli, load: StartLoad) -> None:
    with cli.start(*RELEASE, "--steps", "50,100") as interrupted:
        wait_for_output(interrupted, "gets 50 %")
        interrupted.send_signal(signal.SIGTERM)
        output, _ = interrupted.communicate(timeout=300)
    assert interrupted.returncode == 130
    assert weights(output) == [0]
    assert "svcb v0.2 is rolled back to v0.1" in output
    assert "v0.2" not in load(requests=40).wait().sample().counts
