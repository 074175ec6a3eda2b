"""An open-loop locustfile: each payer sends at its own steady pace, evenly spread, and gives up
before it is due again, so that no request waits for an answer to an earlier one.
"""

from __future__ import annotations

import itertools
import time

import gevent

from e2e.payments.locustfile import Payer as EagerPayer
from e2e.payments.overload import PATIENCE, PERIOD

_number = itertools.count()


class Payer(EagerPayer):
    connection_timeout = network_timeout = PATIENCE

    def on_start(self) -> None:
        users = self.environment.parsed_options.num_users
        gevent.sleep(PERIOD * (next(_number) % users) / users)
        self._due = time.monotonic()

    def wait_time(self) -> float:
        """Until it is due again. Locust's own constant_pacing counts from a user's start, its
        ``on_start`` included, so that all would come at once the second time."""
        self._due += PERIOD
        return max(0.0, self._due - time.monotonic())


del EagerPayer  # Locust would run it too
