"""Assertions on a mesh, for tests of anybody's rules; the pytest plugin gives each as a fixture.

``assert_split``    calls go to versions in the shares that a rule, or the test, sets
``assert_blocked``  callers are refused, and nothing gets through
``assert_allowed``  callers are answered, and every request gets through
``assert_status``   callers get this status, whoever answered
``assert_trace``    each request leaves one whole trace of exactly these calls

Each sends requests of its own, marked with a run id of their own, judges once on the sidecars'
evidence (so the app need not say who answered), and records its verdict in the table and in the
test's folder. With ``expect="fail"`` it is a negative control: it passes where the verdict fails
for the right reason.

A new assertion is a module here, a name below, and a line in ``plugin.assertion_fixtures``.

The classes are for annotations: ``def test_canary(assert_split: AssertSplit) -> None``.
"""

from meshproof.assertions.access import AssertAllowed, AssertBlocked, AssertStatus
from meshproof.assertions.apply import Apply
from meshproof.assertions.splits import AssertSplit
from meshproof.assertions.traces import AssertTrace
from meshproof.traffic.calls import Call

__all__ = [
    "Apply",
    "AssertAllowed",
    "AssertBlocked",
    "AssertSplit",
    "AssertStatus",
    "AssertTrace",
    "Call",
]
