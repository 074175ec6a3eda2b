"""The rules of an AuthorizationPolicy, as ``pkg/config/security`` judges them."""

from __future__ import annotations

import re
from collections.abc import Callable

from meshproof.model.string_types import is_ip, short
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.values import subnet

_IPS = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")
_ACCOUNTS = ("serviceAccounts", "notServiceAccounts")
_PEERS = ("principals", "notPrincipals", "namespaces", "notNamespaces")
_REQUEST = ("requestPrincipals", "notRequestPrincipals")
_SOURCE = (*_PEERS, *_REQUEST, *_IPS, *_ACCOUNTS)
_PORTS, _PATHS = ("ports", "notPorts"), ("paths", "notPaths")
_OPERATION = (*_PORTS, *_PATHS, "methods", "notMethods", "hosts", "notHosts")
_TCP_SOURCE = (*_PEERS, *_IPS, *_ACCOUNTS)
_PLAIN_KEYS = (
    *("source.namespace", "source.principal", "request.auth.principal"),
    *("request.auth.audiences", "request.auth.presenter", "connection.sni"),
)
_MAPS = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
_MOST_ACCOUNTS, _LONGEST_ACCOUNT = 16, 320
_LITERAL = re.compile(r"[-a-zA-Z0-9._~!$&'()+,;:@=%]+")
"""What may stand beside a template's operators (Envoy's ``uri_template``)."""


def check_rules(spec: Node, action: str) -> Violations:
    for rule in spec.items("rules"):
        sources = [entry.get("source") for entry in rule.items("from")]
        operations = [entry.get("operation") for entry in rule.items("to")]
        for source in sources:
            yield from _check_source(source)
        for operation in operations:
            yield from _check_operation(operation)
        for condition in rule.items("when"):
            yield from _check_condition(condition)
        only_http_from = bool(sources) and not any(s.has(*_TCP_SOURCE) for s in sources)
        only_http_to = bool(operations) and not any(o.has(*_PORTS) for o in operations)
        if action == "DENY" and (only_http_to or (only_http_from and not operations)):
            yield rule.warn(
                "denies every connection to TCP ports too, because it names properties of HTTP "
                "alone",
                "ports beside them",
            )


def _check_source(source: Node) -> Violations:
    if not any(source.items(name) for name in _SOURCE):
        yield source.refuse("is empty", f"one of {', '.join(_SOURCE)}")
    if source.which(*_ACCOUNTS) and source.which(*_PEERS):
        yield source.refuse("has serviceAccounts beside principals or namespaces", "one of them")
    yield from _check_filled(source, (*_PEERS, *_REQUEST))
    for name in _IPS:
        yield from _check_each(source.items(name), _ip_problem, "10.1.2.3 or 10.1.0.0/16")
    for name in _ACCOUNTS:
        yield from _check_accounts(source.get(name))


def _check_operation(operation: Node) -> Violations:
    if not any(operation.items(name) for name in _OPERATION):
        yield operation.refuse("is empty", f"one of {', '.join(_OPERATION)}")
    yield from _check_filled(operation, ("methods", "notMethods", "hosts", "notHosts", *_PATHS))
    for name in _PORTS:
        yield from _check_each(operation.items(name), _port_problem, "0 to 65535")
    for name in _PATHS:
        yield from _check_each(operation.items(name), _path_problem, "{*} or {**} as whole parts")


def _check_filled(node: Node, names: tuple[str, ...]) -> Violations:
    for name in names:
        for entry in node.items(name):
            if entry.value == "":
                yield entry.refuse("is empty", "a text")


def _check_each(entries: list[Node], reason: Callable[[str], str], wanted: str) -> Violations:
    for entry in entries:
        if problem := reason(entry.text):
            yield entry.refuse(problem, wanted)


def _check_accounts(accounts: Node) -> Violations:
    """``CheckServiceAccount``."""
    entries = accounts.items()
    if len(entries) > _MOST_ACCOUNTS:
        yield accounts.refuse(f"has {len(entries)} entries", f"at most {_MOST_ACCOUNTS}")
    yield from _check_each(entries, _account_problem, "NAME or NAMESPACE/NAME")


def _account_problem(text: str) -> str:
    parts = text.split("/")
    if len(parts) > 2 or not all(parts) or "*" in text or len(text) > _LONGEST_ACCOUNT:
        return f'"{short(text)}" is not a service account'
    return ""


def _ip_problem(text: str) -> str:
    return subnet(text) if "/" in text else ("" if is_ip(text) else f'"{text}" is not an address')


def _port_problem(text: str) -> str:
    valid = text.isascii() and text.isdigit() and int(text) <= 65535
    return "" if valid else f'"{short(text)}" is not a port'


def _path_problem(path: str) -> str:
    """``CheckValidPathTemplate``."""
    is_template = "{*}" in path or "{**}" in path
    closed = False
    for part in path.strip("/").split("/"):
        if part in ("{*}", "{**}"):
            if closed:
                return f'"{short(path)}" goes on after {{**}}'
            closed = part == "{**}"
        elif set(part) & set("{}"):
            return f'"{short(path)}" has a brace that is no operator'
        elif is_template and not _LITERAL.fullmatch(part):
            return f'"{short(path)}" has "{short(part)}" beside an operator'
    return ""


def _check_condition(condition: Node) -> Violations:
    key = condition.get("key")
    values = [*condition.items("values"), *condition.items("notValues")]
    if not key.text:
        yield key.refuse("is missing", "an attribute, such as request.headers[x-user]")
        return
    if not values:
        yield condition.refuse("has neither values nor notValues", "one of them")
        return
    yield from _check_key(key)
    for entry in values:
        if entry.value == "":
            yield entry.refuse("is empty", "a text")
        elif key.text in ("source.ip", "remote.ip", "destination.ip"):
            yield from _check_each([entry], _ip_problem, "10.1.2.3 or 10.1.0.0/16")
        elif key.text == "destination.port":
            yield from _check_each([entry], _port_problem, "0 to 65535")
        elif key.text == "source.serviceAccount":
            yield from _check_each([entry], _account_problem, "NAME or NAMESPACE/NAME")


def _check_key(key: Node) -> Violations:
    """``ValidateAttribute``."""
    known = (*_PLAIN_KEYS, "source.ip", "remote.ip", "destination.ip", "destination.port")
    if key.text in known or key.text == "source.serviceAccount":
        return
    prefix = next((name for name in _MAPS if key.text.startswith(name)), "")
    opening = key.text.find("[")
    if not prefix:
        expected = ", ".join((*known, "source.serviceAccount"))
        yield key.refuse(f'"{short(key.text)}" is not an attribute', f"one of {expected}, ...")
    elif not (key.text.endswith("]") and 0 < opening < len(key.text) - 2):
        yield key.refuse(f'"{short(key.text)}" has no name in brackets', f"{prefix}[NAME]")
