"""Why the mesh itself refused a request, and what would open the way. Pure: an answer and logs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from meshproof.embedded import curl
from meshproof.explain.descriptions import describe_refused_host
from meshproof.mesh import AccessRecord, Answer

DENIED = b"RBAC: access denied"
LIMITED = b"local_rate_limited"
_OVERFLOW = b"reset reason: overflow"
_POLICY = re.compile(r"ns\[(?P<ns>[^]]*)\]-policy\[(?P<name>[^]]*)\]-rule\[(?P<rule>\d+)\]")


def may_be(answer: Answer) -> bool:
    """Whether the logs are worth reading: an app does not answer so by chance."""
    closed = answer.status == 502 and not answer.body
    own = {401: True, 403: answer.body == DENIED, 429: answer.body == LIMITED}
    own[503] = answer.body.endswith(_OVERFLOW)
    return closed or own.get(answer.status, False)


def why(answer: Answer, records: Iterable[AccessRecord], sent: str, url: str, workload: str) -> str:
    """Which rule refused the request with id ``sent``, or empty where it was an app's own word."""
    for record in records:
        if not curl.same_request(record.request_id, sent):
            continue
        if record.route == "block_all":
            return describe_refused_host(url, workload)
        if record.details.startswith("rbac_access_denied"):
            return _by_policy(record)
        if record.details.startswith("jwt_authn_access_denied"):
            said = answer.body.decode("utf-8", "replace")
            return f"a RequestAuthentication at {record.sidecar} takes no such token: {said}"
        if answer.status == 429 and record.details == LIMITED.decode():
            return f"the bucket of a local rate limit (EnvoyFilter) at {record.sidecar} is empty"
        if answer.status == 503 and "UO" in record.flags.split(","):
            return (
                f"{record.sidecar} has as much under way to {record.upstream_cluster} as the "
                "connectionPool of a DestinationRule allows"
            )
    return ""


def _by_policy(record: AccessRecord) -> str:
    """Envoy names the policy that denied; none is named where no ALLOW policy let it in."""
    found = _POLICY.search(record.details)
    if found is None:
        return (
            f"no AuthorizationPolicy lets this in at {record.sidecar}, and at least one of action "
            "ALLOW is for it: a rule for this caller and request would"
        )
    policy = f"{found['ns']}/{found['name']}"
    return (
        f"AuthorizationPolicy {policy} (spec.rules[{found['rule']}]) denies it at {record.sidecar}"
    )
