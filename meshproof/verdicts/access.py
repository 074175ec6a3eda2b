"""Who was let in: what the caller saw, and what the server's sidecar handed on to its app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.mesh import AccessRecord, Answer
from meshproof.verdicts.verdict import Verdict, conclude, some


def admitted(name: str, answers: Sequence[Answer], access_log: Sequence[AccessRecord]) -> Verdict:
    """Every request was answered 200, and reached an app behind its sidecar.

    ``access_log`` is every sidecar's log of just these requests.
    """
    return _judged(name, answers, access_log, wanted=200, reached=len(answers))


def refused(
    name: str, answers: Sequence[Answer], access_log: Sequence[AccessRecord], *, status: int
) -> Verdict:
    """Every request was answered ``status``, and not one reached an app.

    The caller's word alone is not enough: the app might have been asked all the same.
    """
    return _judged(name, answers, access_log, wanted=status, reached=0)


def _judged(
    name: str,
    answers: Sequence[Answer],
    access_log: Sequence[AccessRecord],
    *,
    wanted: int,
    reached: int,
) -> Verdict:
    statuses = Counter(a.status for a in answers)
    handed = sum(r.direction == "inbound" and r.upstream_host not in ("", "-") for r in access_log)
    problems = []
    others = [f"{n} x {status}" for status, n in statuses.most_common() if status != wanted]
    if others:
        problems.append(f"not every request was answered {wanted}: {some(others)}")
    if handed != reached:
        problems.append(f"{handed} requests reached an app; wanted {reached}")
    if answers and not access_log:
        problems.append("no evidence: no sidecar logged these requests")
    return conclude(
        name,
        len(answers),
        {**{str(status): n for status, n in sorted(statuses.items())}, "reached": handed},
        problems,
        wanted=f"{len(answers)} x {wanted}, {reached} reached an app",
        found=f"{', '.join(f'{n} x {s}' for s, n in statuses.most_common())}, {handed} reached",
        allowed="no difference",
    )
