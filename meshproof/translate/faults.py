"""Injected faults as the fault filter's per-route configuration (Istio: translateFault)."""

from __future__ import annotations

from meshproof.model.virtual_service_route import GRPC_STATUS, Abort, Delay, HTTPFaultInjection
from meshproof.translate.proto import Json, build_any, fractional_percent, seconds

FILTER = "envoy.filters.http.fault"
TYPE = "envoy.extensions.filters.http.fault.v3.HTTPFault"


def build_fault(rule: HTTPFaultInjection | None) -> Json:
    """The entry of a route's ``typed_per_filter_config``; empty without a fault.

    A missing percentage means 0 %: nothing happens. So it does without a delay or a status.
    Only a delay honours the deprecated ``percent``. The route's timeout does not cut a delay
    short, and a fault is not retried.
    """
    parts: Json = {}
    if rule and rule.delay and rule.delay.fixed_delay:
        parts["delay"] = {
            "fixed_delay": seconds(rule.delay.fixed_delay),
            "percentage": fractional_percent(_delay_percent(rule.delay)),
        }
    if rule and rule.abort and _status(rule.abort):
        percentage = rule.abort.percentage
        parts["abort"] = {
            **_status(rule.abort),
            "percentage": fractional_percent(percentage.value if percentage else 0.0),
        }
    return {FILTER: build_any(TYPE, **parts)} if parts else {}


def _status(abort: Abort) -> Json:
    if abort.grpc_status is not None:
        return {"grpc_status": GRPC_STATUS.index(abort.grpc_status)}
    return {} if abort.http_status is None else {"http_status": abort.http_status}


def _delay_percent(delay: Delay) -> float:
    if delay.percentage is not None:
        return delay.percentage.value
    return float(delay.percent or 0)
