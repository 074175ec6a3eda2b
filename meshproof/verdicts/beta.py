"""The incomplete beta function and its inverse, without scipy: what exact binomial tests need.

The continued fraction of DLMF 8.17.22, evaluated by Lentz' method (W. J. Lentz, 1976). It converges
in O(sqrt(max(a, b))) steps for x below the mean; above it, 1 - I(1-x; b, a) is used.
"""

from __future__ import annotations

import math

_TINY = 1e-300
_PRECISION = 1e-15
_STEPS = 1_000_000
"""Far more than convergence takes for any a and b below 1e10."""


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), regularized, for a and b above 0 and x in 0..1."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    front = math.exp(log_front)
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, 1.0 - x) / b


def inverse_incomplete_beta(a: float, b: float, p: float) -> float:
    """The x with I_x(a, b) = p: Newton's steps, kept in a bracket that each step narrows."""
    if p <= 0 or p >= 1:
        return 0.0 if p <= 0 else 1.0
    low, high = 0.0, 1.0
    x = a / (a + b)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    for _ in range(200):
        error = incomplete_beta(a, b, x) - p
        if error > 0:
            high = x
        else:
            low = x
        density = math.exp((a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - log_beta)
        step = error / density if density > 0 else math.inf
        following = x - step
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) <= _PRECISION * following or following in (low, high):
            return following
        x = following
    return x


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction that ``a * I_x(a, b)`` is a multiple of."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    result = d
    for m in range(1, _STEPS):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + numerator * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + numerator / c
            c = c if abs(c) > _TINY else _TINY
            delta = c * d
            result *= delta
        if abs(delta - 1.0) < _PRECISION:
            return result
    raise ArithmeticError(f"no convergence for a={a:g}, b={b:g}, x={x:g}")
