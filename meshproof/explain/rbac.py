"""Envoy's RBAC filter: whether a rule set allows a request, and which policy decides.

Functions that evaluate a Permission or a Principal return why it does not match; an empty string
means that it does.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from meshproof.explain import headers
from meshproof.explain.connection import AuthzRequest
from meshproof.explain.string_match import Json, describe, matches

_EXPECTED = ", wanted "


@dataclass(frozen=True, slots=True)
class RbacDecision:
    """``key`` is the policy that decided, or empty; ``reasons`` tell why each other policy did not
    match."""

    allowed: bool
    key: str = ""
    reasons: tuple[tuple[str, str], ...] = ()


def evaluate(rules: Json, authz: AuthzRequest) -> RbacDecision:
    """Evaluate one rule set: ALLOW requires a matching policy, DENY requires none, LOG allows
    everything. Policies are evaluated by name, in Envoy's order."""
    action = rules.get("action", "ALLOW")
    if action == "LOG":
        return RbacDecision(True)
    reasons = []
    for key, policy in sorted(rules.get("policies", {}).items()):
        reason = _policy_mismatch(policy, authz)
        if not reason:
            return RbacDecision(action == "ALLOW", key)
        reasons.append((key, reason))
    return RbacDecision(action == "DENY", "", tuple(reasons))


def _policy_mismatch(policy: Json, authz: AuthzRequest) -> str:
    return _any_mismatch(policy.get("permissions", ()), authz) or _any_mismatch(
        policy.get("principals", ()), authz
    )


def _any_mismatch(parts: Iterable[Json], authz: AuthzRequest) -> str:
    reasons = []
    for part in parts:
        reason = _mismatch(part, authz)
        if not reason:
            return ""
        reasons.append(reason)
    return _join_reasons(reasons) or "it names nobody"


def _join_reasons(reasons: Iterable[str]) -> str:
    """Each fact once: ``the method is "PUT", wanted "GET" or "POST"``."""
    expected: dict[str, list[str]] = {}
    for reason in dict.fromkeys(reasons):
        fact, _, expectation = reason.partition(_EXPECTED)
        expected.setdefault(fact, []).append(expectation)
    return " and ".join(
        f"{fact}{_EXPECTED}{' or '.join(expectations)}" if expectations[0] else fact
        for fact, expectations in expected.items()
    )


def _all_mismatch(parts: Iterable[Json], authz: AuthzRequest) -> str:
    return next((reason for part in parts if (reason := _mismatch(part, authz))), "")


def _mismatch(node: Json, authz: AuthzRequest) -> str:
    """Why one Permission or Principal does not match."""
    (form, value), *_ = node.items()
    if form in ("and_rules", "and_ids"):
        return _all_mismatch(_members(value), authz)
    if form in ("or_rules", "or_ids"):
        return _any_mismatch(_members(value), authz)
    if form in ("not_rule", "not_id"):
        return "" if _mismatch(value, authz) else _describe_exclusion(value)
    if form == "any":
        return ""
    check = _FORMS.get(form)
    if check is None:
        raise ValueError(f"RBAC with an unknown form: {form}")
    return check(value, authz)


def _members(value: Json) -> list[Json]:
    members: list[Json] = value.get("rules") or value.get("ids") or []
    return members


def _describe_exclusion(value: Json) -> str:
    """What a ``not`` excludes, if it has a name."""
    (form, inner), *_ = value.items()
    members = _members(inner) if form in ("or_rules", "or_ids") else [value]
    kinds = (next(iter(member)) for member in members)
    return f"it is excluded by its {' or '.join(dict.fromkeys(_NAMES.get(k, k) for k in kinds))}"


JWT_METADATA = "envoy.filters.http.jwt_authn"
"""The filter whose metadata holds a token's claims."""
_NAMES = {
    "authenticated": "principal",
    "header": "header",
    "url_path": "path",
    "uri_template": "path",
    "direct_remote_ip": "address",
    "remote_ip": "address",
    "destination_ip": "address",
    "destination_port": "port",
    "metadata": "token",
    "any": "being any",
}


def _authenticated(value: Json, authz: AuthzRequest) -> str:
    matcher = value.get("principal_name")
    identity = authz.peer.identity
    if not identity:
        expected = f", wanted {describe(matcher)}" if matcher else ""
        return f"the caller has no identity (plain connection){expected}"
    if matcher is None or matches(matcher, identity):
        return ""
    return f"the caller is {identity}, wanted {describe(matcher)}"


def _header(value: Json, authz: AuthzRequest) -> str:
    return headers.header_mismatch(value, authz.request) if authz.request else "it is about HTTP"


def _url_path(value: Json, authz: AuthzRequest) -> str:
    if authz.request is None:
        return "it is about HTTP"
    path = authz.request.plain_path
    return "" if matches(value["path"], path) else f"path {path} is not {describe(value['path'])}"


def _template(value: Json, authz: AuthzRequest) -> str:
    if authz.request is None:
        return "it is about HTTP"
    template = value["typed_config"]["path_template"]
    path = authz.request.plain_path
    return (
        "" if _compile_template(template).fullmatch(path) else f"path {path} is not like {template}"
    )


@functools.lru_cache(256)
def _compile_template(template: str) -> re.Pattern[str]:
    """``*`` is one path segment, ``**`` any number of them."""
    segment = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]"
    patterns = {"**": rf"(?:{segment}|/)*", "*": rf"{segment}+"}
    parts = re.split(r"(\*\*|\*)", template)
    return re.compile("".join(patterns.get(part, re.escape(part)) for part in parts))


def _network(
    name: str, address: Callable[[AuthzRequest], str]
) -> Callable[[Json, AuthzRequest], str]:
    def mismatch(value: Json, authz: AuthzRequest) -> str:
        if not (ip := address(authz)):
            return f"{name} is none: it comes by a Unix socket"
        network = f"{value['address_prefix']}/{value.get('prefix_len', 0)}"
        inside = ipaddress.ip_address(ip) in ipaddress.ip_network(network, strict=False)
        return "" if inside else f"{name} {ip} is not in {network}"

    return mismatch


def _sni(value: Json, authz: AuthzRequest) -> str:
    sni = authz.peer.sni
    return "" if matches(value, sni) else f'the server name is "{sni}", wanted {describe(value)}'


def _metadata(value: Json, authz: AuthzRequest) -> str:
    claim: object = authz.metadata.get(value["filter"])
    keys = [part["key"] for part in value["path"]]
    for key in keys:
        claim = claim.get(key) if isinstance(claim, dict) else None
    if claim is not None and _value_matches(value["value"], claim):
        return ""
    if value["filter"] != JWT_METADATA:
        return f"{value['filter']} has noted nothing that fits under {'.'.join(keys)}"
    if authz.metadata.get(value["filter"]) is None:
        return "the request has no token"
    actual = "absent" if claim is None else repr(claim)
    return f"claim {'.'.join(keys[1:])} of its token is {actual}"


def _value_matches(matcher: Json, value: object) -> bool:
    if "or_match" in matcher:
        return any(_value_matches(m, value) for m in matcher["or_match"].get("value_matchers", ()))
    if "list_match" in matcher:
        entries = value if isinstance(value, list) else []
        return any(_value_matches(matcher["list_match"]["one_of"], entry) for entry in entries)
    if "string_match" in matcher:
        return isinstance(value, str) and matches(matcher["string_match"], value)
    raise ValueError(f"RBAC with an unknown value matcher: {sorted(matcher)}")


def _port(value: object, authz: AuthzRequest) -> str:
    port = authz.peer.port
    return "" if port == value else f"the port is {port}{_EXPECTED}{value}"


_FORMS: dict[str, Callable[[Json, AuthzRequest], str]] = {
    "authenticated": _authenticated,
    "header": _header,
    "url_path": _url_path,
    "uri_template": _template,
    "direct_remote_ip": _network("the caller's address", lambda a: a.peer.source_ip),
    "remote_ip": _network("the client's address", lambda a: a.remote_ip),
    "destination_ip": _network("the server's address", lambda a: a.peer.local_ip),
    "destination_port": _port,
    "requested_server_name": _sni,
    "metadata": _metadata,
}
