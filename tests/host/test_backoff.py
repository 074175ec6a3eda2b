"""What ends again and again is started less and less often."""

from __future__ import annotations

from itertools import pairwise

from meshproof.host.backoff import Backoff


def test_ends_in_a_row_wait_longer_up_to_ten_seconds() -> None:
    backoff, now, delays = Backoff(), 100.0, []
    for _ in range(10):
        delays.append(backoff.delay(now))
        now += delays[-1] + 1.0
    assert delays[0] == 0.1
    assert all(a <= b for a, b in pairwise(delays))
    assert delays[-1] == 10.0


def test_an_end_after_a_quiet_time_is_the_first_again() -> None:
    backoff = Backoff()
    assert [backoff.delay(now) for now in (0.0, 1.0, 2.0)] == [0.1, 0.2, 0.5]
    assert backoff.delay(40.0) == 0.1
