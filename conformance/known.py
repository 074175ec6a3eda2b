"""Differences that are meant: named in known.yaml, with the reason in docs/fidelity.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from conformance.replay import FOLDER, Outcome

KNOWN = FOLDER / "known.yaml"
FIDELITY = FOLDER.parent / "docs" / "fidelity.md"


def known(file: Path = KNOWN) -> dict[str, str]:
    """Case -> the sentence of docs/fidelity.md that says why it differs."""
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")) or {})


def unexplained(
    outcomes: Iterable[Outcome], reasons: Mapping[str, str], fidelity: str
) -> list[str]:
    """What fails the run: a difference without a reason, a reason that docs/fidelity.md lacks,
    and a reason for a case that agrees."""
    problems = []
    text = " ".join(fidelity.split())
    for outcome in outcomes:
        reason = reasons.get(outcome.case)
        if outcome.verdict == "agreed":
            if reason:
                problems.append(f"{outcome.case} agrees, but known.yaml says that it differs")
        elif not reason:
            problems.append(f"{outcome.case} is {outcome.verdict}")
        elif " ".join(reason.split()) not in text:
            problems.append(f"{outcome.case}: docs/fidelity.md does not say: {reason}")
    return problems
