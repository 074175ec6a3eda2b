"""Who was admitted: what the caller got, and what the server's sidecar forwarded to its app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.mesh import AccessRecord, Answer
from meshproof.verdicts.access_records import has_upstream
from meshproof.verdicts.verdict import Verdict, conclude, some


def admitted(name: str, answers: Sequence[Answer], access_log: Sequence[AccessRecord]) -> Verdict:
    """Every request was answered 200, and reached an app behind its sidecar.

    ``access_log`` is every sidecar's log of just these requests.
    """
    return _judge(name, answers, access_log, status=200, reached=len(answers))


def refused(
    name: str, answers: Sequence[Answer], access_log: Sequence[AccessRecord], *, status: int
) -> Verdict:
    """Every request was answered ``status``, and none reached an app.

    The caller's answer alone is not enough: the app might have got the request all the same.
    """
    return _judge(name, answers, access_log, status=status, reached=0)


def _judge(
    name: str,
    answers: Sequence[Answer],
    access_log: Sequence[AccessRecord],
    *,
    status: int,
    reached: int,
) -> Verdict:
    statuses = Counter(a.status for a in answers)
    forwarded = sum(r.direction == "inbound" and has_upstream(r) for r in access_log)
    problems = []
    others = [f"{n} x {code}" for code, n in statuses.most_common() if code != status]
    if others:
        problems.append(f"not every request was answered {status}: {some(others)}")
    if forwarded != reached:
        problems.append(f"{forwarded} requests reached an app; wanted {reached}")
    if answers and not access_log:
        problems.append("no evidence: no sidecar logged these requests")
    return conclude(
        name,
        len(answers),
        {**{str(code): n for code, n in sorted(statuses.items())}, "reached": forwarded},
        problems,
        wanted=f"{len(answers)} x {status}, {reached} reached an app",
        found=f"{', '.join(f'{n} x {s}' for s, n in statuses.most_common())}, {forwarded} reached",
        allowed="no difference",
    )
