"""``explain``: of files and of a running mesh; exit codes; what it cannot be asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meshproof.explain import Explanation
from meshproof.explain.result import APP, Outcome, Step
from tests.cases.mesh_files import MANIFESTS, TO_V1, rule
from tests.fakes.mesh import FakeMesh

Cli = Any
ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"


@pytest.fixture
def in_project_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of this repository's own project file."""
    monkeypatch.chdir(ROOT)


def explain(cli: Cli, rule: str, *more: str) -> Any:
    return cli("explain", "--from", "svca", "-f", str(RULES / rule), "http://svcb/notify", *more)


@pytest.mark.usefixtures("in_project_root")
@pytest.mark.parametrize(
    ("rule", "more", "code", "message"),
    [
        ("svcb_v0_2_100.yaml", (), 0, "    100 %  payments/svcb-v0.2 v0.2 answers"),
        ("svcb_only_from_svca.yaml", ("-X", "DELETE"), 3, "    100 %  403 from the mesh"),
        ("faults_at_every_hop.yaml", (), 4, "     10 %  503 from the mesh"),
        ("svcb_by_header.yaml", ("-H", "end-user: tester"), 0, "payments/svcb-v0.2 v0.2 answers"),
    ],
)
def test_of_files(cli: Cli, rule: str, more: tuple[str, ...], code: int, message: str) -> None:
    done = explain(cli, rule, *more)
    assert (done.code, done.err) == (code, "")
    assert message in done.out
    assert f"rules/{rule}:" in done.out


@pytest.mark.usefixtures("in_project_root")
def test_as_data(cli: Cli) -> None:
    done = explain(cli, "svcb_v0_1_90_v0_2_10.yaml", "-o", "json")
    message = json.loads(done.out)
    assert [(o["chance"], o["version"]) for o in message["outcomes"]] == [
        (90.0, "v0.1"),
        (10.0, "v0.2"),
    ]
    assert message["steps"][0]["rule"]["name"] == "svcb"
    assert message["answered"] == 100.0


@pytest.mark.usefixtures("in_project_root")
def test_of_the_project_alone(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHPROOF_PODS", "auto")  # an option sets it for the process
    done = cli("explain", "--from", "svca", "--project", "meshproof.yaml", "http://msgd.test:9997/")
    assert done.code == 3
    assert "closed: no rule opens msgd.test:9997 for payments/svca" in done.out
    assert "without pods" not in done.out
    done = cli(
        "explain", "--no-pods", "--from", "svca", "--project", "meshproof.yaml",
        "http://msgd.test:9997/",
    )  # fmt: skip
    assert done.code == 3
    assert "502 from the mesh: no rule opens http://msgd.test:9997/" in done.out
    assert ", in a mesh without pods" in done.out


def test_rules_alone_have_no_workloads(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = explain(cli, "svcb_v0_2_100.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: explain: there is no workload in these files, and no mesh")


def test_manifests_and_rules_need_no_project_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mesh.yaml").write_text(MANIFESTS)
    Path("rules.yaml").write_text(rule(TO_V1))
    done = cli("explain", "-f", "mesh.yaml", "-f", "rules.yaml", "--from", "client", "http://echo/")
    assert (done.code, done.err) == (0, "")
    assert "rules.yaml:" in done.out
    assert "shop/echo-v1 v1 answers" in done.out


@pytest.mark.usefixtures("in_project_root")
@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--from", "nobody", "http://svcb/"), "error: no workload nobody; there is payments/svca"),
        (("--from", "svca", "svcb/"), "error: 'svcb/' is not a URL such as http://cart/show"),
        (("--from", "svca", "-H", "x", "http://svcb/"), "error: explain: -H 'x': wanted 'Name: va"),
        (
            ("--from", "gateway", "http://x:81/"),
            "error: the gateway does not listen at port 81; it h",
        ),
    ],
)
def test_words_that_are_none(cli: Cli, argv: tuple[str, ...], message: str) -> None:
    done = cli("explain", "--project", "meshproof.yaml", *argv)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(message)


def test_of_a_running_mesh(cli: Cli, fake: FakeMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = []

    def explained(workload: str, url: str, **how: Any) -> Explanation:
        requests.append((workload, url, how))
        outcome = Outcome(APP, "it answers", workload="svcb", namespace="pay", replica="svcb-7")
        return Explanation("PUT http://svcb/", workload, (Step(1.0, "", "so", outcome=outcome),))

    monkeypatch.setattr(fake, "explain", explained, raising=False)
    done = cli("explain", "--from", "svca", "-X", "PUT", "-H", "X-A: 1", "http://svcb/")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[2] == "    100 %  pay/svcb answers (svcb-7)"
    assert requests == [("svca", "http://svcb/", {"method": "PUT", "headers": [("X-A", "1")]})]


def test_a_mesh_whose_envoys_are_elsewhere_says_what_to_do(cli: Cli, fake: FakeMesh) -> None:
    done = cli("explain", "--from", "svca", "http://svcb/")
    assert (done.code, done.out) == (2, "")
    assert "explain the files instead: explain -f FILE" in done.err
