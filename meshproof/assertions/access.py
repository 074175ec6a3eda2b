"""``assert_blocked``, ``assert_allowed``, ``assert_status``: what becomes of a call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from meshproof.assertions.apply import Rule
from meshproof.assertions.context import Bench, Sent, call_of
from meshproof.errors import UsageError
from meshproof.traffic.calls import GATEWAY, Call
from meshproof.verdicts import answers
from meshproof.verdicts.verdict import Verdict

N = 20
"""Enough to meet every replica, few enough to be quick: nothing here is left to chance."""
Arrived = Callable[[str], int]
"""Run id -> how many requests of that run the target itself has seen."""
PASSED = r"not every request was answered|requests reached|arrived at"
"""Why a control of ``blocked`` fails: somebody got through."""
FAILED = r"not every request was answered|of \d+ requests (reached|arrived)"
OTHER = r"not every request was answered"


@dataclass(frozen=True, slots=True)
class AssertAllowed:
    bench: Bench

    def __call__(
        self,
        url: str,
        *,
        from_: str = GATEWAY,
        status: int = 200,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        n: int = N,
        arrived: Arrived | None = None,
        expect: str = "pass",
        because: str = FAILED,
        name: str = "",
    ) -> Verdict:
        """Each of ``n`` calls of ``url`` is answered ``status``, and gets to the app there (its
        sidecar's word), or out to a host outside (the caller's sidecar's word).

        ``arrived`` asks the target itself: it gets the run id, which every request carries as
        ``x-run-id``, and says how many came.
        """
        __tracebackhide__ = True
        call = call_of(from_, url, method=method, headers=headers, body=body)
        sent = _sent(self.bench, call, n)
        verdict = _allowed(name or f"allowed: {call}", call, sent, status, arrived)
        return self.bench.judge(verdict, expect=expect, because=because if expect == "fail" else "")


@dataclass(frozen=True, slots=True)
class AssertBlocked:
    bench: Bench

    def __call__(
        self,
        url: str,
        *,
        from_: str = GATEWAY,
        status: int | Collection[int] = answers.REFUSALS,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        n: int = N,
        opened_by: Rule | None = None,
        closed_by: Rule | None = None,
        positive: Call | str | None = None,
        arrived: Arrived | None = None,
        expect: str = "pass",
        because: str = PASSED,
        name: str = "",
    ) -> Verdict:
        """Each of ``n`` calls of ``url`` is refused by the mesh (401, 403 or 502, or ``status``),
        and not one gets to the app there, or out to a host outside.

        A target that is down looks blocked too, so say one positive control, which must be
        answered 2xx first; without any the verdict says that there was none:
        ``opened_by``  a rule that opens the way; applied for the control alone
        ``closed_by``  the rule that closes it; applied after the control, for the rest of the test
        ``positive``   a call that passes: a ``Call``, or a workload that may make the same one
        ``arrived`` asks the target itself, as for ``assert_allowed``; wanted is 0.
        """
        __tracebackhide__ = True
        given = sum(control is not None for control in (opened_by, closed_by, positive))
        if given > 1:
            raise UsageError("assert_blocked takes one of opened_by=, closed_by= and positive=")
        call = call_of(from_, url, method=method, headers=headers, body=body)
        control = self._control(call, n, opened_by, closed_by, positive)
        if closed_by is not None:
            self.bench.apply(closed_by)
        sent = _sent(self.bench, call, n)
        verdict = answers.blocked(
            name or f"blocked: {call}",
            sent.answers,
            sent.log,
            target=call.host,
            statuses={status} if isinstance(status, int) else status,
            control=control,
            arrived=arrived(sent.run_id) if arrived else None,
        )
        return self.bench.judge(verdict, expect=expect, because=because if expect == "fail" else "")

    def _control(
        self,
        call: Call,
        n: int,
        opened_by: Rule | None,
        closed_by: Rule | None,
        positive: Call | str | None,
    ) -> Verdict | None:
        __tracebackhide__ = True
        if opened_by is not None:
            with self.bench.apply.during(opened_by):
                return self._passes(call, n, "where the rule opens it")
        if closed_by is not None:
            return self._passes(call, n, "before the rule")
        if positive is not None:
            other = replace(call, from_=positive) if isinstance(positive, str) else positive
            return self._passes(other, n, "may")
        return None

    def _passes(self, call: Call, n: int, when: str) -> Verdict:
        """Recorded and required: without it nothing that follows means anything."""
        __tracebackhide__ = True
        sent = _sent(self.bench, call, n)
        wanted = next((a.status for a in sent.answers if 200 <= a.status < 300), 200)
        return self.bench.judge(_allowed(f"control: {call}, {when}", call, sent, wanted, None))


@dataclass(frozen=True, slots=True)
class AssertStatus:
    bench: Bench

    def __call__(
        self,
        status: int,
        url: str,
        *,
        from_: str = GATEWAY,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        n: int = N,
        expect: str = "pass",
        because: str = OTHER,
        name: str = "",
    ) -> Verdict:
        """Each of ``n`` calls of ``url`` is answered ``status``, by whomever: a redirect, a fault,
        a direct response, an app's own word. 0 is no answer at all."""
        __tracebackhide__ = True
        call = call_of(from_, url, method=method, headers=headers, body=body)
        sent = _sent(self.bench, call, n)
        verdict = answers.status(name or f"{status}: {call}", sent.answers, sent.log, status)
        return self.bench.judge(verdict, expect=expect, because=because if expect == "fail" else "")


def _sent(bench: Bench, call: Call, n: int) -> Sent:
    """A path alone is for the gateway."""
    if call.url.startswith("/") and call.from_ != GATEWAY:
        raise UsageError(f"url is {call.url!r} from {call.from_}; wanted http://HOST{call.url}")
    return bench.send(call, n)


def _allowed(name: str, call: Call, sent: Sent, status: int, arrived: Arrived | None) -> Verdict:
    return answers.status(
        name,
        sent.answers,
        sent.log,
        status,
        target="" if call.from_ == GATEWAY else call.host,
        through=True,
        arrived=arrived(sent.run_id) if arrived else None,
    )
