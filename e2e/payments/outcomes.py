"""What became of a load's payments, as payers and msgd have it; and of one more payment."""

from __future__ import annotations

import requests

from e2e.payments import msgd
from e2e.payments.accounting import truthful
from e2e.payments.payment import payments
from meshproof.mesh import Mesh
from meshproof.traffic.results import Results
from meshproof.verdicts.sample import Sample
from meshproof.verdicts.verdict import Verdict


def account(name: str, mesh: Mesh, results: Results) -> Verdict:
    """``truthful`` with what msgd holds of the load; ask when it has ended."""
    messages = msgd.messages(mesh, results.run_id)
    dropped = sum(int(m["duplicates"]) for m in messages)
    stored = [str(m["id"]) for m in messages]
    traces = {str(m["id"]): str(m["trace_id"]) for m in messages}
    return truthful(
        name, results.records, stored, sent=results.sent, dropped=dropped, traces=traces
    )


def outcomes(results: Results) -> Sample:
    """The outcome of each request: ``notified``, ``told`` that it was not, or ``failed``."""
    sequence = tuple(
        "failed" if not r.answered else "notified" if r.notified else "told"
        for r in payments(results.records)
    )
    counts = {outcome: sequence.count(outcome) for outcome in ("notified", "told", "failed")}
    return Sample(counts, 0, results.sent, sequence)


def next_is_notified(mesh: Mesh) -> bool:
    """Whether one more payment, through the gateway and of no run, is notified."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.get(f"{mesh.url('gateway')}/pay", timeout=300)
        except requests.RequestException:
            return False
    return answer.status_code == 200 and answer.json()["notified"] is True
