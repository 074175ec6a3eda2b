"""A report of spans, as the mesh's store copies it to an address of a user's."""

from __future__ import annotations

import asyncio

from meshproof.telemetry import span_settings
from meshproof.telemetry.span_forwarder import SpanForwarder
from meshproof.telemetry.span_store import SpanStore
from tests.fakes.span_bodies import by_hand, envoy_body, payment


def forward_report(variable: str, address: str, *, within: float, trace: int = 7) -> None:
    """An Envoy's report of the payment ``trace`` in protobuf, and a span in JSON, to where the
    variable says.

    Raises TimeoutError after ``within`` seconds.
    """

    async def forward() -> None:
        store = SpanStore()
        settings = span_settings.read({variable: address})
        store.forwarders = [SpanForwarder(receiver) for receiver in settings.receivers]
        (forwarder,) = store.forwarders
        forwarder.start()
        store.add(envoy_body(payment(trace)), "application/x-protobuf")
        store.add_spans([by_hand(traceId="b" * 32)])
        async with asyncio.timeout(within):
            while forwarder.sent + forwarder.lost < 2:
                await asyncio.sleep(0.01)
        await forwarder.stop()
        assert forwarder.lost == 0

    asyncio.run(forward())
