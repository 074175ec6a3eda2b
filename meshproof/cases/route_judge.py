"""Compares the caller's route (timeout, retries, mirrors, faults) with an expectation. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from meshproof.cases.facts import Facts
from meshproof.cases.mismatch import Mismatch
from meshproof.cases.model import NONE, PERCENT, Delay, Expect, parse_seconds
from meshproof.cases.names import mirrors_of, workload_target

_CLOSE = 1e-9


def _timeout(expect: Expect, facts: Facts) -> Iterator[Mismatch]:
    seconds = parse_seconds(expect.timeout or NONE)
    yield from _figure(facts, "timeout", _duration(seconds), facts.timeouts, seconds)


def _retries(expect: Expect, facts: Facts) -> Iterator[Mismatch]:
    expected = expect.retries
    attempts = expected if isinstance(expected, int) else expected.attempts if expected else 0
    policies = [a.get("retry_policy", {}) for a in facts.actions]
    counts = {float(p.get("num_retries", 1) if p else 0) for p in policies}
    yield from _figure(facts, "retries", str(attempts), counts, float(attempts))
    if expected is None or isinstance(expected, int):
        return
    if expected.per_try_timeout is not None:
        per_try = {float(str(p.get("per_try_timeout", "0s")).rstrip("s")) for p in policies}
        seconds = parse_seconds(expected.per_try_timeout)
        yield from _figure(facts, "retries.perTryTimeout", _duration(seconds), per_try, seconds)
    if expected.retry_on is not None:
        for policy in policies:
            on = [*policy.get("retry_on", "").split(",")]
            on += map(str, policy.get("retriable_status_codes", ()))
            if {*on} - {"retriable-status-codes", ""} != {*expected.retry_on}:
                wanted = ", ".join(expected.retry_on)
                yield Mismatch("retries.retryOn", wanted, ", ".join(on), facts.deciding)


def _figure(
    facts: Facts, field: str, wanted: str, values: set[float], expected: float
) -> Iterator[Mismatch]:
    """A figure of every route that forwards."""
    if not values:
        yield Mismatch(field, wanted, "no route forwards the request", facts.deciding)
    for value in sorted(values):
        if abs(value - expected) > _CLOSE:
            text = f"{value:g}" if field == "retries" else _duration(value)
            yield Mismatch(field, wanted, text, facts.deciding)


def _delay(expect: Expect, facts: Facts) -> Iterator[Mismatch]:
    expected = expect.delay
    delays = facts.delays
    found_text = ", ".join(f"{_duration(s)} for {p:g} %" for s, p in sorted(delays)) or "none"
    if expected == NONE:
        if delays:
            yield Mismatch("delay", NONE, found_text, facts.deciding)
        return
    delay = Delay(fixed=expected) if isinstance(expected, str) else expected
    assert delay is not None
    wanted = (parse_seconds(delay.fixed), float(delay.percent))
    fits = [abs(s - wanted[0]) < _CLOSE and abs(p - wanted[1]) < PERCENT for s, p in delays]
    if not fits or not all(fits):
        text = f"{_duration(wanted[0])} for {wanted[1]:g} %"
        yield Mismatch("delay", text, found_text, facts.deciding)


def _mirror(expect: Expect, facts: Facts) -> Iterator[Mismatch]:
    expected, copies = mirrors_of(expect), list(facts.mirrors)
    found_text = (
        ", ".join(
            f"{' or '.join(sorted(map(str, c.responders))) or 'nobody'} ({c.percent:g} %)"
            for c in copies
        )
        or NONE
    )
    if not expected and copies:
        yield Mismatch("mirror", NONE, found_text, facts.deciding)
    for mirror in expected:
        target = workload_target(facts.mesh, mirror.workload, mirror.version)
        fitting = [
            c
            for c in copies
            if c.responders
            and all(target.covers(r, None) for r in c.responders)
            and abs(c.percent - mirror.percent) < PERCENT
        ]
        if fitting:
            copies.remove(fitting[0])
        else:
            wanted = f"{mirror.workload} {mirror.version or ''}".rstrip()
            text = f"{wanted} ({mirror.percent:g} %)"
            yield Mismatch("mirror", text, found_text, facts.deciding)
    if expected and len(facts.mirrors) > len(expected):
        yield Mismatch("mirror", f"{len(expected)} copies", found_text, facts.deciding)


def _envoy(expect: Expect, facts: Facts) -> Iterator[Mismatch]:
    expected = expect.envoy
    assert expected is not None
    parts = (
        ("route", expected.route, facts.routes),
        ("cluster", expected.cluster, facts.clusters),
        ("filters", expected.filters, facts.filters),
    )
    for name, wanted, actual in parts:
        if not wanted:
            continue
        if not actual:
            yield Mismatch(f"envoy.{name}", str(wanted), f"no {name}", facts.deciding)
        for value in actual:
            for path, want, got in _differences(value, wanted, f"envoy.{name}"):
                yield Mismatch(path, want, got, facts.deciding)


ROUTE_CHECKS: dict[str, Callable[[Expect, Facts], Iterator[Mismatch]]] = {
    "timeout": _timeout,
    "retries": _retries,
    "delay": _delay,
    "mirror": _mirror,
    "envoy": _envoy,
}


def _duration(seconds: float) -> str:
    return f"{seconds:g}s" if seconds else NONE


def _differences(actual: Any, wanted: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Where ``actual`` lacks what is wanted: mappings may hold more, lists may not. Null is a
    field that is not set, and so has Envoy's default."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            inner = f"{path}.{key}"
            if value is None and isinstance(actual, dict) and key not in actual:
                continue
            if not isinstance(actual, dict) or key not in actual:
                yield inner, str(value), "nothing"
            else:
                yield from _differences(actual[key], value, inner)
    elif isinstance(wanted, list) and isinstance(actual, list) and len(wanted) == len(actual):
        for index, (one, other) in enumerate(zip(actual, wanted, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif actual != wanted:
        yield path, str(wanted), str(actual)
