"""Why the mesh itself refused a request, from the response and the access logs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from meshproof.embedded import curl
from meshproof.explain.descriptions import describe_refused_host
from meshproof.istio_names import BLACK_HOLE_CLUSTER, BLOCK_ALL, EGRESS_REFUSED
from meshproof.mesh import AccessRecord, Answer

RBAC_DENIED = b"RBAC: access denied"
RATE_LIMITED = b"local_rate_limited"
_OVERFLOW = b"reset reason: overflow"
_POLICY = re.compile(r"ns\[(?P<ns>[^]]*)\]-policy\[(?P<name>[^]]*)\]-rule\[(?P<rule>\d+)\]")


def may_be_refused(answer: Answer) -> bool:
    """Whether the logs are worth reading: an app does not answer like that by chance."""
    blocked = answer.status == EGRESS_REFUSED and not answer.body
    own = {401: True, 403: answer.body == RBAC_DENIED, 429: answer.body == RATE_LIMITED}
    own[503] = answer.body.endswith(_OVERFLOW)
    return blocked or own.get(answer.status, False)


def explain_closed_connection(
    records: Iterable[AccessRecord], sidecar: str, url: str, workload: str
) -> str:
    """Why a sidecar closed a connection on a port without HTTP services; empty where it did not."""
    closed = any(r.sidecar == sidecar and r.upstream_cluster == BLACK_HOLE_CLUSTER for r in records)
    return describe_refused_host(url, workload) if closed else ""


def explain_refusal(
    answer: Answer, records: Iterable[AccessRecord], request_id: str, url: str, workload: str
) -> str:
    """Which rule refused the request; empty where the app itself did."""
    for record in records:
        if not curl.same_request(record.request_id, request_id):
            continue
        if record.route == BLOCK_ALL:
            return describe_refused_host(url, workload)
        if record.details.startswith("rbac_access_denied"):
            return _explain_rbac(record)
        if record.details.startswith("jwt_authn_access_denied"):
            message = answer.body.decode("utf-8", "replace")
            return f"a RequestAuthentication at {record.sidecar} rejects the token: {message}"
        if answer.status == 429 and record.details == RATE_LIMITED.decode():
            return f"the bucket of a local rate limit (EnvoyFilter) at {record.sidecar} is empty"
        if answer.status == 503 and "UO" in record.flags.split(","):
            return (
                f"{record.sidecar} has as much in flight to {record.upstream_cluster} as the "
                "connectionPool of a DestinationRule allows"
            )
    return ""


def _explain_rbac(record: AccessRecord) -> str:
    """Envoy names the policy that denied it, and none where no ALLOW policy matched."""
    match = _POLICY.search(record.details)
    if match is None:
        return (
            f"no AuthorizationPolicy lets this in at {record.sidecar}, although at least one with "
            "action ALLOW selects it; add a rule for this caller and request"
        )
    policy = f"{match['ns']}/{match['name']}"
    return (
        f"AuthorizationPolicy {policy} (spec.rules[{match['rule']}]) denies it at {record.sidecar}"
    )
