"""What the judge decides on clear evidence, and on evidence that leaves doubt."""

from __future__ import annotations

from meshproof.release.compare import Calls
from meshproof.release.judge import Action, Decision, Limits, judge

LIMITS = Limits()


def calls(n: int, failed: int = 0, ms: int = 20) -> Calls:
    return Calls([ms + i % 7 for i in range(n - failed)], failed)


def decide(old: Calls, new: Calls, *, look: int = 1, next_share: float = 1.0) -> Decision:
    return judge(LIMITS, old, new, look=look, steps=2, next_share=next_share)


def test_equal_versions_go_on() -> None:
    assert decide(calls(600), calls(600)).action is Action.GO_ON


def test_what_fails_more_often_is_rolled_back() -> None:
    decision = decide(calls(1000), calls(1000, failed=20))
    assert decision.action is Action.ROLL_BACK
    assert "fails more often: 2 % of its calls against 0 %" in decision.why


def test_what_is_slower_is_rolled_back() -> None:
    decision = decide(calls(600), calls(100, ms=70))
    assert decision.action is Action.ROLL_BACK
    assert "more than 10 ms slower: median 73 ms against 23 ms" in decision.why


def test_what_is_tolerated_is_not_slower() -> None:
    assert decide(calls(600), calls(600, ms=29)).action is Action.GO_ON


def test_failures_that_both_have_are_no_fault_of_the_new_one() -> None:
    assert decide(calls(4000, failed=40), calls(4000, failed=40)).action is Action.GO_ON


def test_few_calls_are_watched_further_and_the_reason_is_said() -> None:
    decision = decide(calls(100), calls(100))
    assert decision.action is Action.WATCH
    assert "more failures are possible, wanted 2 %" in decision.why


def test_a_small_next_step_wants_less_evidence() -> None:
    assert decide(calls(100), calls(100), next_share=0.05).action is Action.GO_ON


def test_what_is_not_decided_at_the_last_look_is_rolled_back() -> None:
    decision = decide(calls(100), calls(100), look=LIMITS.looks)
    assert decision.action is Action.ROLL_BACK
    assert decision.why.startswith("not decided after 100 calls")


def test_a_version_that_only_fails_is_rolled_back() -> None:
    assert decide(calls(900), calls(10, failed=10)).action is Action.ROLL_BACK
