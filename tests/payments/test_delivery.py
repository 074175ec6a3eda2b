"""Delivery: each message in its own trace, from an egress span."""

from __future__ import annotations

import pytest

from e2e.payments.delivery import delivered
from meshproof.mesh import Span
from meshproof.verdicts.trace_chain import Step

OUT = Step("svcb", "CLIENT")
SENT = {"m1": "a1", "m2": "a2"}
ARRIVED = {"m1": ("00a1", "e1"), "m2": ("a2", "00e2")}
SPANS = [Span(t, s, "d", "CLIENT", "svcb.x", "", 0.0, 0.1) for t, s in (("a1", "e1"), ("a2", "e2"))]


def test_each_message_from_its_span() -> None:
    assert delivered("d", SENT, ARRIVED, SPANS, OUT).require().counts["egress_spans"] == 2


@pytest.mark.parametrize(
    ("sent", "arrived", "spans", "why"),
    [
        ({}, {}, SPANS, "no evidence"),
        (SENT, {"m1": ("a1", "e1")}, SPANS, "1 messages did not arrive: m2"),
        (SENT, {**ARRIVED, "m2": ("a1", "e1")}, SPANS, "1 messages arrived in another trace: m2"),
        (SENT, ARRIVED, SPANS[:1], "1 messages came from no span svcb out: m2"),
        (SENT, {**ARRIVED, "m3": ("a3", "e3")}, SPANS, "came from no span svcb out: m3"),
    ],
)
def test_what_must_not_pass(
    sent: dict[str, str], arrived: dict[str, tuple[str, str]], spans: list[Span], why: str
) -> None:
    assert why in delivered("d", sent, arrived, spans, OUT).sentence
