"""The recorded cases can all be read, and what explains a difference must be written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.cases import batches, filled, load
from conformance.known import FIDELITY, known, unexplained
from conformance.replay import FOLDER, Outcome

CASES = load([FOLDER / "recorded" / "cases"])
REASON = "Because it does."


def test_every_case_is_read_under_its_file_s_name() -> None:
    assert len(CASES) >= 54
    assert all(case.name == Path(case.file).stem and case.requests for case in CASES)


def test_a_case_that_expects_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("name: x\nrequests: [{from: client, path: /}]\n")
    with pytest.raises(ValueError, match="expects nothing"):
        load([path])
    path.write_text("name: x\n")
    with pytest.raises(ValueError, match="holds no requests"):
        load([path])


def test_cases_of_one_file_share_rules(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    request = "requests: [{from: client, expect: {status: 200}}]"
    path.write_text(
        f"shared: a\ncases: [{{name: x, rules: b, {request}}}, {{name: y, {request}}}]\n"
    )
    assert [(case.name, case.rules) for case in load([path])] == [("x", "a---\nb"), ("y", "a")]


def test_requests_go_in_order_one_call_a_workload_s_turn() -> None:
    (case,) = [c for c in CASES if c.name == "authz-allow-principal"]
    assert [[r.sender for r in batch] for batch in batches(case)] == [["client"], ["intruder"]]


def test_a_run_has_a_token_of_its_own() -> None:
    (case,) = [c for c in CASES if c.name == "mirror"]
    assert filled(case.requests[0], "t1")["path"] == "/hit/t1m"


@pytest.mark.parametrize(
    ("verdict", "reasons", "fidelity", "fails"),
    [
        ("agreed", {}, "", False),
        ("different", {}, REASON, True),
        ("refused", {}, REASON, True),
        ("different", {"c": REASON}, "Because it\ndoes.", False),
        ("different", {"c": REASON}, "", True),
        ("agreed", {"c": REASON}, REASON, True),
    ],
)
def test_what_fails_a_run(
    verdict: str, reasons: dict[str, str], fidelity: str, fails: bool
) -> None:
    assert bool(unexplained([Outcome("c", verdict)], reasons, fidelity)) is fails


def test_every_known_difference_is_a_case_and_explained() -> None:
    reasons = known()
    assert set(reasons) <= {case.name for case in CASES}
    text = " ".join(FIDELITY.read_text().split()) if reasons else ""
    assert [r for r in reasons.values() if " ".join(r.split()) not in text] == []
