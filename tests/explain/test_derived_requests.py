"""``explain`` predicts the answers of conformance/derived from files alone, without a mesh."""

from __future__ import annotations

import pytest

from conformance.cases import Case, load
from conformance.replay import FOLDER
from meshproof.admission.admission import Admission
from meshproof.admission.store import Store
from tests.explain.recorded_requests import answers
from tests.explain.test_recorded_requests import explain_case, start

__all__ = ["start"]
pytestmark = pytest.mark.long
CASES = load([FOLDER / "derived"])


def test_names_are_told_apart() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 200


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_istio_answers_is_foreseen(start: tuple[Admission, Store], case: Case) -> None:
    problems = []
    for request, (name, explanation, wrong) in zip(
        case.requests, explain_case(start, case), strict=True
    ):
        assert sum(a.chance for a in answers(explanation)) == pytest.approx(1)
        if request.expect.get("foreseen", True):
            problems += [f"{name}: {text}" for text in wrong]
    assert problems == []
