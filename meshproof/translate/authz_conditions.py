"""AuthorizationPolicy conditions: each field of a source, an operation or a ``when`` entry as an
RBAC Permission or Principal.

Istio: pilot/pkg/security/authz/model/generator.go. ``HttpFieldError`` means that a field is
about HTTP and the port is a TCP port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from meshproof.model.authorization_values import CLAIMS, HEADERS, METADATA, names_in_brackets
from meshproof.translate import authz_matchers
from meshproof.translate.proto import Json

SPIFFE = "spiffe://"


ANY_PORT = 0
"""For rules that hold at several ports, each of which Envoy sees itself."""


class HttpFieldError(Exception):
    """An HTTP field on a TCP port."""


@dataclass(frozen=True, slots=True)
class AuthzContext:
    """The workload port where policies are enforced."""

    port: int
    """As policies write it; Envoy may listen on another."""
    tcp: bool = False
    namespace: str = ""
    """The policy's own, which completes short names."""


Builder = Callable[[AuthzContext, str, str], Json]
"""Context, the key as written, one value -> one Permission or Principal."""


def _authenticated(matcher: Json) -> Json:
    return {"authenticated": {"principal_name": matcher}}


def _principal(_context: AuthzContext, _key: str, value: str) -> Json:
    return _authenticated(authz_matchers.string_matcher(value, SPIFFE))


def _namespace(_context: AuthzContext, _key: str, value: str) -> Json:
    pattern = ".*".join(authz_matchers.quote_regex(part) for part in value.split("*"))
    return _authenticated({"safe_regex": {"regex": f".*/ns/{pattern}/.*"}})


def _service_account(context: AuthzContext, _key: str, value: str) -> Json:
    """``name`` is of the policy's namespace."""
    namespace, _, name = value.rpartition("/")
    namespace = authz_matchers.quote_regex(namespace or context.namespace)
    regex = f"spiffe://.+/ns/{namespace}/(.+/|)sa/{authz_matchers.quote_regex(name)}(/.+)?"
    return _authenticated({"safe_regex": {"regex": regex}})


def _source_ip(_context: AuthzContext, _key: str, value: str) -> Json:
    return {"direct_remote_ip": authz_matchers.cidr_range(value)}


def _remote_ip(_context: AuthzContext, _key: str, value: str) -> Json:
    return {"remote_ip": authz_matchers.cidr_range(value)}


def _request_principal(context: AuthzContext, key: str, value: str) -> Json:
    """``ISSUER/SUBJECT``, split at the last slash; a ``*`` may stand at either end."""
    _require_http(context, key)
    issuer, slash, subject = value.rpartition("/")
    if not slash:
        if value.startswith("*"):
            pair = (authz_matchers.ANY_TEXT, authz_matchers.string_matcher(value))
        elif value.endswith("*"):
            pair = (authz_matchers.string_matcher(value), authz_matchers.ANY_TEXT)
        else:
            pair = (authz_matchers.string_matcher(value), {"exact": ""})
    elif value.startswith("*"):
        pair = (authz_matchers.string_matcher(issuer), {"exact": subject})
    else:
        pair = ({"exact": issuer}, authz_matchers.string_matcher(subject))
    claims = [
        authz_matchers.claim_matcher([name], m)
        for name, m in zip(("iss", "sub"), pair, strict=True)
    ]
    return {"and_ids": {"ids": [{"metadata": c} for c in claims]}}


def _claim(context: AuthzContext, key: str, value: str) -> Json:
    _require_http(context, key)
    names = {"request.auth.audiences": ["aud"], "request.auth.presenter": ["azp"]}
    path = names.get(key) or names_in_brackets(key)
    return {"metadata": authz_matchers.claim_list_matcher(path, [value])}


def _request_header(context: AuthzContext, key: str, value: str) -> Json:
    _require_http(context, key)
    (name,) = names_in_brackets(key)
    return {"header": authz_matchers.header_matcher(name, value)}


def _host(context: AuthzContext, key: str, value: str) -> Json:
    _require_http(context, key)
    return {"header": authz_matchers.header_matcher(":authority", value, ignore_case=True)}


def _method(context: AuthzContext, key: str, value: str) -> Json:
    _require_http(context, key)
    return {"header": authz_matchers.header_matcher(":method", value)}


def _path(context: AuthzContext, key: str, value: str) -> Json:
    _require_http(context, key)
    return authz_matchers.path_permission(value)


def _port(context: AuthzContext, _key: str, value: str) -> Json:
    """Decided here where a port has its own rules: Envoy may see another port than the one
    that the policy writes."""
    if context.port == ANY_PORT:
        return {"destination_port": int(value)}
    any_port: Json = {"any": True}
    return any_port if int(value) == context.port else {"not_rule": any_port}


def _destination_ip(_context: AuthzContext, _key: str, value: str) -> Json:
    return {"destination_ip": authz_matchers.cidr_range(value)}


def _sni(_context: AuthzContext, _key: str, value: str) -> Json:
    return {"requested_server_name": authz_matchers.string_matcher(value)}


def _metadata(_context: AuthzContext, key: str, value: str) -> Json:
    """``experimental.envoy.filters.a.b[c]`` is the metadata ``c`` of ``envoy.filters.a.b``; ``[v]``
    is an item of a list (envoyFilterGenerator)."""
    name, _, path = key.removeprefix("experimental.").removesuffix("]").partition("[")
    is_item = value.startswith("[") and value.endswith("]")
    text = {"string_match": authz_matchers.string_matcher(value.strip("[]") if is_item else value)}
    matcher: Json = {"list_match": {"one_of": text}} if is_item else text
    return {"metadata": {"filter": name, "path": [{"key": path}], "value": matcher}}


def _require_http(context: AuthzContext, key: str) -> None:
    if context.tcp:
        raise HttpFieldError(key)


SOURCES: Mapping[str, Builder] = {
    "principals": _principal,
    "request_principals": _request_principal,
    "namespaces": _namespace,
    "service_accounts": _service_account,
    "remote_ip_blocks": _remote_ip,
    "ip_blocks": _source_ip,
}
"""Fields of a Source, in Istio's order; each has its ``not_`` twin."""
OPERATIONS: Mapping[str, Builder] = {
    "hosts": _host,
    "methods": _method,
    "paths": _path,
    "ports": _port,
}
_OF_PERMISSIONS: Mapping[str, Builder] = {
    "destination.ip": _destination_ip,
    "destination.port": _port,
    "connection.sni": _sni,
}
_OF_PRINCIPALS: Mapping[str, Builder] = {
    "source.ip": _source_ip,
    "remote.ip": _remote_ip,
    "source.namespace": _namespace,
    "source.serviceAccount": _service_account,
    "source.principal": _principal,
    "request.auth.principal": _request_principal,
    "request.auth.audiences": _claim,
    "request.auth.presenter": _claim,
}


def permission_builder(key: str) -> Builder | None:
    """For a condition about the request; None for one about the caller."""
    return _metadata if key.startswith(METADATA) else _OF_PERMISSIONS.get(key)


def principal_builder(key: str) -> Builder | None:
    """For a condition about the caller; None for one about the request."""
    if key.startswith(HEADERS):
        return _request_header
    if key.startswith(CLAIMS):
        return _claim
    return _OF_PRINCIPALS.get(key)
