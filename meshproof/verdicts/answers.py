"""What callers were answered, and what became of the same requests by the sidecars' logs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from meshproof.istio_names import EGRESS_REFUSED
from meshproof.mesh import AccessRecord, Answer
from meshproof.verdicts.access_records import calls_to, has_upstream, same_host
from meshproof.verdicts.verdict import Figure, Verdict, conclude, some

REFUSALS = (401, 403, EGRESS_REFUSED)
"""How a mesh refuses: no valid token; no policy that allows it; no rule for that host."""


def reached(target: str, log: Sequence[AccessRecord]) -> set[str]:
    """The ids of the requests that got through to a host, by its own sidecar's log, or for a host
    outside by the caller's. An empty ``target`` is any app of the mesh."""
    inbound = [
        record
        for record in log
        if record.direction == "inbound" and (not target or same_host(record.authority, target))
    ]
    inside = {record.request_id for record in inbound}
    outside = [] if not target else [r for r in calls_to(target, log) if r.request_id not in inside]
    return {record.request_id for record in (*inbound, *outside) if has_upstream(record)}


def status(
    name: str,
    answers: Sequence[Answer],
    log: Sequence[AccessRecord],
    expected: int,
    *,
    target: str = "",
    through: bool = False,
    arrived: int | None = None,
) -> Verdict:
    """Every request was answered ``expected``; with ``through`` each also got to ``target``.

    ``log`` is every sidecar's of just these requests. ``arrived`` is the target's own count.
    """
    problems = _statuses(answers, {expected}, str(expected)) + _logged(answers, log)
    got = len(reached(target, log))
    if through and got != len(answers):
        problems.append(f"{got} of {len(answers)} requests reached {target or 'an app'}")
    if arrived is not None and arrived != len(answers):
        problems.append(f"{arrived} of {len(answers)} requests arrived at {target or 'the target'}")
    text = f"each answered {expected}"
    return _conclude(name, answers, problems, got=got, arrived=arrived, wanted=text)


def blocked(
    name: str,
    answers: Sequence[Answer],
    log: Sequence[AccessRecord],
    *,
    target: str,
    statuses: Collection[int] = REFUSALS,
    control: Verdict | None = None,
    arrived: int | None = None,
) -> Verdict:
    """Every caller was refused, and no request got to ``target``.

    Where 502 is a refusal, so is a connection that the caller's sidecar closed because no rule
    opens it: that is what Istio does on a port without HTTP services (BlackHoleCluster).
    ``control`` is the same request where it must pass; without it the verdict says that there was
    none, because a target that is down looks blocked too. ``arrived`` is the target's own count.
    """
    expected = " or ".join(map(str, sorted(statuses)))
    others = [a for a in answers if not (_is_closed(a) and EGRESS_REFUSED in statuses)]
    problems = _statuses(others, statuses, expected) + _logged(answers, log)
    got = len(reached(target, log))
    if got:
        problems.append(f"{got} of {len(answers)} requests reached {target or 'an app'}")
    if arrived:
        problems.append(f"{arrived} requests arrived at {target}, by its own count")
    figures: dict[str, Figure] = {"control": "none: a target that is down looks blocked too"}
    if control is not None:
        title = control.name.removeprefix("control: ")
        figures["control"] = f"{title}, n={control.n}"
        if not control.passed:
            problems.append(f"the positive control did not pass: {control.sentence}")
    text = f"each answered {expected}, 0 reached {target or 'an app'}"
    return _conclude(
        name, answers, problems, got=got, arrived=arrived, wanted=text, figures=figures
    )


def _statuses(answers: Sequence[Answer], statuses: Collection[int], expected: str) -> list[str]:
    other = Counter(answer.status for answer in answers if answer.status not in statuses)
    if not other:
        return []
    others = some([f"{n} x {code or 'no answer'}" for code, n in other.most_common()])
    example = next(a for a in answers if a.status not in statuses)
    text = example.refused_by or example.body[:120].decode(errors="replace").strip()
    return [f"not every request was answered {expected}: {others}" + (f" ({text})" if text else "")]


def _is_closed(answer: Answer) -> bool:
    """Whether a sidecar closed the connection, by its own log, because no rule opens it."""
    return not answer.status and bool(answer.refused_by)


def _logged(answers: Sequence[Answer], log: Sequence[AccessRecord]) -> list[str]:
    """A closed connection carries no request, so its record has no request's id."""
    logged = len({record.request_id for record in log}) + sum(map(_is_closed, answers))
    if logged >= len(answers):
        return []
    return [f"no evidence: sidecars logged {logged} of {len(answers)} requests"]


def _conclude(
    name: str,
    answers: Sequence[Answer],
    problems: list[str],
    *,
    got: int,
    arrived: int | None,
    wanted: str,
    figures: dict[str, Figure] | None = None,
) -> Verdict:
    statuses = Counter(str(answer.status) for answer in answers)
    summary = ", ".join(f"{n} x {code}" for code, n in sorted(statuses.items())) or "no answers"
    own = {} if arrived is None else {"arrived": arrived}
    return conclude(
        name,
        len(answers),
        {**dict(sorted(statuses.items())), "reached": got, **own},
        problems,
        wanted=wanted,
        found=f"{summary}, {got} reached" + ("" if arrived is None else f", {arrived} arrived"),
        allowed="no difference",
        figures=figures,
    )
