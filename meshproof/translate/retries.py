"""Retry policies (Istio: pilot/pkg/networking/core/route/retry)."""

from __future__ import annotations

from meshproof.model.virtual_service_route import HTTPRetry
from meshproof.translate.proto import Json, build_extension, seconds

DEFAULT_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
"""Istio 1.24 and later: no status code is retried unless a rule says so."""
_CODES = "retriable-status-codes"
_HOSTS = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
_PRIORITIES = "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"

INBOUND: Json = {"retry_on": "reset-before-request", "num_retries": 2}
"""A sidecar's retry of a call to its app, if nothing of the request was sent."""


def build_retry_policy(rule: HTTPRetry | None, *, hashed: bool) -> Json | None:
    """The policy of a route; None for ``attempts: 0``. ``rule`` is the route's own, or the mesh's
    defaultHttpRetryPolicy.

    ``hashed``: consistentHash chooses the host, so a retry may go to the same one again unless
    the rule forbids it.
    """
    if rule is None:
        return _build_default_policy(hashed)
    if rule.attempts == 0:
        return None
    ignores = rule.retry_ignore_previous_hosts
    policy = _build_default_policy(hashed if ignores is None else not ignores)
    policy["num_retries"] = rule.attempts
    if rule.retry_on:
        policy |= _retry_on(rule.retry_on)
    if rule.per_try_timeout:
        policy["per_try_timeout"] = seconds(rule.per_try_timeout)
    if rule.backoff:
        policy["retry_back_off"] = {"base_interval": seconds(rule.backoff)}
    if rule.retry_remote_localities:
        policy["retry_priority"] = build_extension(
            "envoy.retry_priorities.previous_priorities", _PRIORITIES, update_frequency=2
        )
    return policy


def _build_default_policy(same_host: bool) -> Json:
    policy: Json = {
        "retry_on": DEFAULT_ON,
        "num_retries": 2,
        "host_selection_retry_max_attempts": "5",
    }
    if not same_host:
        predicate = build_extension("envoy.retry_host_predicates.previous_hosts", _HOSTS)
        policy["retry_host_predicate"] = [predicate]
    return policy


def _retry_on(text: str) -> Json:
    """Keywords stay; numbers become status codes, with the keyword that they need."""
    values = [value.strip() for value in text.split(",") if value.strip()]
    codes = [int(value) for value in values if value.isdigit()]
    keywords = [value for value in values if not value.isdigit()]
    if not codes:
        return {"retry_on": ",".join(keywords)}
    if _CODES not in keywords:
        keywords.append(_CODES)
    return {"retry_on": ",".join(keywords), "retriable_status_codes": codes}
