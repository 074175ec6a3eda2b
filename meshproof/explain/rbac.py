"""Envoy's RBAC: does a rule set let a request in, and what of it decides.

Every function here answers with why something does not fit; an empty text is that it does.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from meshproof.explain import headers
from meshproof.explain.connection import AuthzRequest
from meshproof.explain.string_match import Json, fits, words

_WANTED = ", wanted "


@dataclass(frozen=True, slots=True)
class RbacDecision:
    """``key`` is the policy that decided, empty where none did; ``reasons`` say of each policy
    that did not fit why."""

    allowed: bool
    key: str = ""
    reasons: tuple[tuple[str, str], ...] = ()


def verdict(rules: Json, asked: AuthzRequest) -> RbacDecision:
    """Of one rule set: ALLOW wants a policy that fits, DENY wants none, LOG lets all pass. Policies
    are asked by name, as Envoy keeps them."""
    action = rules.get("action", "ALLOW")
    if action == "LOG":
        return RbacDecision(True)
    reasons = []
    for key, policy in sorted(rules.get("policies", {}).items()):
        why = _policy(policy, asked)
        if not why:
            return RbacDecision(action == "ALLOW", key)
        reasons.append((key, why))
    return RbacDecision(action == "DENY", "", tuple(reasons))


def _policy(policy: Json, asked: AuthzRequest) -> str:
    return _any(policy.get("permissions", ()), asked) or _any(policy.get("principals", ()), asked)


def _any(parts: Iterable[Json], asked: AuthzRequest) -> str:
    reasons = []
    for part in parts:
        why = _why(part, asked)
        if not why:
            return ""
        reasons.append(why)
    return _joined(reasons) or "it names nobody"


def _joined(reasons: Iterable[str]) -> str:
    """What is found is said once: ``the method is "PUT", wanted "GET" or "POST"``."""
    wanted: dict[str, list[str]] = {}
    for reason in dict.fromkeys(reasons):
        found, _, one = reason.partition(_WANTED)
        wanted.setdefault(found, []).append(one)
    return " and ".join(
        f"{found}{_WANTED}{' or '.join(each)}" if each[0] else found
        for found, each in wanted.items()
    )


def _all(parts: Iterable[Json], asked: AuthzRequest) -> str:
    return next((why for part in parts if (why := _why(part, asked))), "")


def _why(node: Json, asked: AuthzRequest) -> str:
    """Of one Permission or Principal."""
    (form, value), *_ = node.items()
    if form in ("and_rules", "and_ids"):
        return _all(_members(value), asked)
    if form in ("or_rules", "or_ids"):
        return _any(_members(value), asked)
    if form in ("not_rule", "not_id"):
        return "" if _why(value, asked) else _excluded(value)
    if form == "any":
        return ""
    made = _FORMS.get(form)
    if made is None:
        raise ValueError(f"RBAC with an unknown form: {form}")
    return made(value, asked)


def _members(value: Json) -> list[Json]:
    found: list[Json] = value.get("rules") or value.get("ids") or []
    return found


def _excluded(value: Json) -> str:
    """What a ``not`` is about, as far as it has a name."""
    (form, inner), *_ = value.items()
    members = _members(inner) if form in ("or_rules", "or_ids") else [value]
    kinds = (next(iter(member)) for member in members)
    return f"it is excluded by its {' or '.join(dict.fromkeys(_NAMES.get(k, k) for k in kinds))}"


_NAMES = {
    "authenticated": "principal",
    "header": "header",
    "url_path": "path",
    "uri_template": "path",
    "direct_remote_ip": "address",
    "remote_ip": "address",
    "destination_ip": "address",
    "metadata": "token",
    "any": "being any",
}


def _authenticated(value: Json, asked: AuthzRequest) -> str:
    matcher = value.get("principal_name")
    identity = asked.peer.identity
    if not identity:
        wanted = f", wanted {words(matcher)}" if matcher else ""
        return f"the caller has no identity (plain connection){wanted}"
    if matcher is None or fits(matcher, identity):
        return ""
    return f"the caller is {identity}, wanted {words(matcher)}"


def _header(value: Json, asked: AuthzRequest) -> str:
    return headers.why_not(value, asked.request) if asked.request else "it is about HTTP"


def _url_path(value: Json, asked: AuthzRequest) -> str:
    if asked.request is None:
        return "it is about HTTP"
    path = asked.request.plain_path
    return "" if fits(value["path"], path) else f"path {path} is not {words(value['path'])}"


def _template(value: Json, asked: AuthzRequest) -> str:
    if asked.request is None:
        return "it is about HTTP"
    template = value["typed_config"]["path_template"]
    path = asked.request.plain_path
    return "" if _of_template(template).fullmatch(path) else f"path {path} is not like {template}"


@functools.lru_cache(256)
def _of_template(template: str) -> re.Pattern[str]:
    """``*`` is a part of a path, ``**`` is any number of them."""
    segment = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]"
    made = {"**": rf"(?:{segment}|/)*", "*": rf"{segment}+"}
    parts = re.split(r"(\*\*|\*)", template)
    return re.compile("".join(made.get(part, re.escape(part)) for part in parts))


def _network(
    name: str, address: Callable[[AuthzRequest], str]
) -> Callable[[Json, AuthzRequest], str]:
    def why(value: Json, asked: AuthzRequest) -> str:
        found = address(asked)
        network = f"{value['address_prefix']}/{value.get('prefix_len', 0)}"
        inside = ipaddress.ip_address(found) in ipaddress.ip_network(network, strict=False)
        return "" if inside else f"{name} {found} is not in {network}"

    return why


def _sni(value: Json, asked: AuthzRequest) -> str:
    sni = asked.peer.sni
    return "" if fits(value, sni) else f'the server name is "{sni}", wanted {words(value)}'


def _metadata(value: Json, asked: AuthzRequest) -> str:
    found: object = asked.metadata.get(value["filter"])
    keys = [part["key"] for part in value["path"]]
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if found is not None and _value(value["value"], found):
        return ""
    if asked.metadata.get(value["filter"]) is None:
        return "the request has no token"
    shown = "absent" if found is None else repr(found)
    return f"claim {'.'.join(keys[1:])} of its token is {shown}"


def _value(matcher: Json, value: object) -> bool:
    if "or_match" in matcher:
        return any(_value(m, value) for m in matcher["or_match"].get("value_matchers", ()))
    if "list_match" in matcher:
        entries = value if isinstance(value, list) else []
        return any(_value(matcher["list_match"]["one_of"], entry) for entry in entries)
    if "string_match" in matcher:
        return isinstance(value, str) and fits(matcher["string_match"], value)
    raise ValueError(f"RBAC with an unknown value matcher: {sorted(matcher)}")


_FORMS: dict[str, Callable[[Json, AuthzRequest], str]] = {
    "authenticated": _authenticated,
    "header": _header,
    "url_path": _url_path,
    "uri_template": _template,
    "direct_remote_ip": _network("the caller's address", lambda a: a.peer.source_ip),
    "remote_ip": _network("the client's address", lambda a: a.remote_ip),
    "destination_ip": _network("the server's address", lambda a: a.peer.local_ip),
    "requested_server_name": _sni,
    "metadata": _metadata,
}
