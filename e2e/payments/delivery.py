"""Did each message reach msgd from the span that claims to have sent it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshproof.mesh import Span
from meshproof.verdicts.trace_chain import Step, plain_id
from meshproof.verdicts.verdict import Verdict, conclude, some


def delivered(
    name: str,
    sent: Mapping[str, str],
    arrived: Mapping[str, tuple[str, str]],
    spans: Sequence[Span],
    egress: Step,
) -> Verdict:
    """Every message reached msgd in its own trace, straight from an ``egress`` span.

    ``sent`` is message id -> trace id as the payer was told; ``arrived`` is message id ->
    (trace id, span id) as msgd stored them from the headers it got.
    """
    exits = {(plain_id(s.trace_id), plain_id(s.span_id)) for s in spans if egress.matches(s)}
    missing = [m for m in sent if m not in arrived]
    elsewhere = [m for m in sent if m in arrived and plain_id(arrived[m][0]) != plain_id(sent[m])]
    spanless = [m for m, (t, s) in arrived.items() if (plain_id(t), plain_id(s)) not in exits]
    problems = [
        f"{len(ids)} messages {what}: {some(ids)}"
        for ids, what in (
            (missing, "did not arrive"),
            (elsewhere, "arrived in another trace"),
            (spanless, f"came from no span {egress}"),
        )
        if ids
    ]
    return conclude(
        name,
        len(sent),
        {"sent": len(sent), "arrived": len(arrived), "egress_spans": len(exits)},
        problems,
        wanted=f"every message from a span {egress} of its own trace",
        found=f"{len(arrived)} arrived, {len(elsewhere)} in another trace, {len(spanless)} from"
        " no such span",
        allowed="0 others",
    )
