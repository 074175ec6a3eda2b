"""Are answers independent of one another? The binomial model of a split needs it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence


def runs_z(sequence: Sequence[str], label: str) -> float | None:
    """z of the Wald-Wolfowitz runs test for "is ``label``" against "is not".

    Near 0 for independent draws; clearly negative where versions come in blocks (pinned
    connections, a rule that changed meanwhile), clearly positive where they alternate (round
    robin). None where it is undefined: fewer than two of either kind.
    """
    hits = [item == label for item in sequence]
    n, k = len(hits), sum(hits)
    if k < 2 or n - k < 2:
        return None
    runs = 1 + sum(a != b for a, b in itertools.pairwise(hits))
    product = 2 * k * (n - k)
    mean = product / n + 1
    variance = product * (product - n) / (n * n * (n - 1))
    return (runs - mean) / math.sqrt(variance)


def two_sided(z: float) -> float:
    """The probability of a standard normal at least this far from 0."""
    return math.erfc(abs(z) / math.sqrt(2))
