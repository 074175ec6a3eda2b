"""``assert_blocked``, ``assert_allowed``, ``assert_status``: what becomes of a call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from meshproof.assertions.apply import Rule
from meshproof.assertions.context import AssertionContext, RunEvidence, build_call
from meshproof.errors import UsageError
from meshproof.traffic.calls import GATEWAY, Call
from meshproof.verdicts import answers
from meshproof.verdicts.verdict import Verdict

N = 20
"""Enough to meet every replica, few enough to be fast: nothing here depends on chance."""
Arrived = Callable[[str], int]
"""Run id -> how many requests of that run arrived at the target, by its own count."""
GOT_THROUGH = r"not every request was answered|requests reached|arrived at"
"""Why a negative control of ``blocked`` fails: a request got through."""
NOT_ANSWERED = r"not every request was answered|of \d+ requests (reached|arrived)"
OTHER_STATUS = r"not every request was answered"


@dataclass(frozen=True, slots=True)
class AssertAllowed:
    context: AssertionContext

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
        because: str = NOT_ANSWERED,
        name: str = "",
    ) -> Verdict:
        """Each of ``n`` calls of ``url`` is answered ``status``, and reaches the app behind it (by
        its sidecar's log) or a host outside (by the caller's sidecar's log).

        ``arrived`` asks the target itself: it is called with the run id, which every request
        carries as ``x-run-id``, and returns how many arrived.
        """
        __tracebackhide__ = True
        call = build_call(from_, url, method=method, headers=headers, body=body)
        evidence = _send(self.context, call, n)
        verdict = _allowed(name or f"allowed: {call}", call, evidence, status, arrived)
        return self.context.require(verdict, expect, because)


@dataclass(frozen=True, slots=True)
class AssertBlocked:
    context: AssertionContext

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
        because: str = GOT_THROUGH,
        name: str = "",
    ) -> Verdict:
        """Each of ``n`` calls of ``url`` is refused by the mesh (401, 403 or 502, or ``status``),
        and none reaches the app behind it, or a host outside.

        A target that is down looks blocked too, so name one positive control, which must be
        answered 2xx first; without one the verdict says that there was none:
        ``opened_by``  a rule that allows the call; applied for the control only
        ``closed_by``  the rule that blocks it; applied after the control, for the rest of the test
        ``positive``   a call that passes: a ``Call``, or a workload that may make the same call
        ``arrived`` asks the target itself, as for ``assert_allowed``; it must return 0.
        """
        __tracebackhide__ = True
        controls = sum(control is not None for control in (opened_by, closed_by, positive))
        if controls > 1:
            raise UsageError("assert_blocked takes one of opened_by=, closed_by= and positive=")
        call = build_call(from_, url, method=method, headers=headers, body=body)
        control = self._control(call, n, opened_by, closed_by, positive)
        if closed_by is not None:
            self.context.apply(closed_by)
        evidence = _send(self.context, call, n)
        verdict = answers.blocked(
            name or f"blocked: {call}",
            evidence.answers,
            evidence.log,
            target=call.host,
            statuses={status} if isinstance(status, int) else status,
            control=control,
            arrived=arrived(evidence.run_id) if arrived else None,
        )
        return self.context.require(verdict, expect, because)

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
            with self.context.apply.during(opened_by):
                return self._passes(call, n, "where the rule opens it")
        if closed_by is not None:
            return self._passes(call, n, "before the rule")
        if positive is not None:
            other = replace(call, from_=positive) if isinstance(positive, str) else positive
            return self._passes(other, n, "may")
        return None

    def _passes(self, call: Call, n: int, when: str) -> Verdict:
        """A positive control, recorded and required: without it, what follows proves nothing."""
        __tracebackhide__ = True
        evidence = _send(self.context, call, n)
        expected = next((a.status for a in evidence.answers if 200 <= a.status < 300), 200)
        return self.context.judge(
            _allowed(f"control: {call}, {when}", call, evidence, expected, None)
        )


@dataclass(frozen=True, slots=True)
class AssertStatus:
    context: AssertionContext

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
        because: str = OTHER_STATUS,
        name: str = "",
    ) -> Verdict:
        """Each of ``n`` calls of ``url`` is answered ``status``, whoever answers: a redirect, a
        fault, a direct response, the app itself. 0 is no answer at all."""
        __tracebackhide__ = True
        call = build_call(from_, url, method=method, headers=headers, body=body)
        evidence = _send(self.context, call, n)
        verdict = answers.status(
            name or f"{status}: {call}", evidence.answers, evidence.log, status
        )
        return self.context.require(verdict, expect, because)


def _send(context: AssertionContext, call: Call, n: int) -> RunEvidence:
    """Raises UsageError for a path without a host from a workload: only the gateway takes one."""
    if call.url.startswith("/") and call.from_ != GATEWAY:
        raise UsageError(f"url is {call.url!r} from {call.from_}; wanted http://HOST{call.url}")
    return context.send(call, n)


def _allowed(
    name: str, call: Call, evidence: RunEvidence, status: int, arrived: Arrived | None
) -> Verdict:
    return answers.status(
        name,
        evidence.answers,
        evidence.log,
        status,
        target="" if call.from_ == GATEWAY else call.host,
        through=True,
        arrived=arrived(evidence.run_id) if arrived else None,
    )
