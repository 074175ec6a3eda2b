"""Each field of a policy's source, operation and condition as RBAC permissions and principals.

Istio: pilot/pkg/security/authz/model/generator.go. ``UnfitError`` means that a field speaks
of HTTP and the port carries bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from meshproof.model.authorization_values import CLAIMS, HEADERS, names_in_brackets
from meshproof.translate import authz_matchers
from meshproof.translate.proto import Json

SPIFFE = "spiffe://"


class UnfitError(Exception):
    """An HTTP field on a port of bytes."""


@dataclass(frozen=True, slots=True)
class AuthzContext:
    """A port of a workload, where policies are enforced."""

    port: int
    """As policies write it; the real one may be another."""
    tcp: bool = False
    namespace: str = ""
    """The policy's own, to which short names belong."""


Maker = Callable[[AuthzContext, str, str], Json]
"""A place, the key as written, one value -> one Permission or Principal."""


def _authenticated(matcher: Json) -> Json:
    return {"authenticated": {"principal_name": matcher}}


def _principal(_place: AuthzContext, _key: str, value: str) -> Json:
    return _authenticated(authz_matchers.text(value, SPIFFE))


def _namespace(_place: AuthzContext, _key: str, value: str) -> Json:
    pattern = ".*".join(authz_matchers.quoted(part) for part in value.split("*"))
    return _authenticated({"safe_regex": {"regex": f".*/ns/{pattern}/.*"}})


def _service_account(place: AuthzContext, _key: str, value: str) -> Json:
    """``name`` is of the policy's namespace."""
    namespace, _, name = value.rpartition("/")
    where = namespace or place.namespace
    regex = f"spiffe://.+/ns/{authz_matchers.quoted(where)}/(.+/|)sa/{authz_matchers.quoted(name)}(/.+)?"
    return _authenticated({"safe_regex": {"regex": regex}})


def _source_ip(_place: AuthzContext, _key: str, value: str) -> Json:
    return {"direct_remote_ip": authz_matchers.cidr(value)}


def _remote_ip(_place: AuthzContext, _key: str, value: str) -> Json:
    return {"remote_ip": authz_matchers.cidr(value)}


def _request_principal(place: AuthzContext, key: str, value: str) -> Json:
    """``ISSUER/SUBJECT``, parted at the last slash; a ``*`` at either end of it."""
    _http(place, key)
    issuer, slash, subject = value.rpartition("/")
    if not slash:
        if value.startswith("*"):
            pair = (authz_matchers.ANY_TEXT, authz_matchers.text(value))
        elif value.endswith("*"):
            pair = (authz_matchers.text(value), authz_matchers.ANY_TEXT)
        else:
            pair = (authz_matchers.text(value), {"exact": ""})
    elif value.startswith("*"):
        pair = (authz_matchers.text(issuer), {"exact": subject})
    else:
        pair = ({"exact": issuer}, authz_matchers.text(subject))
    claims = [authz_matchers.claim([name], m) for name, m in zip(("iss", "sub"), pair, strict=True)]
    return {"and_ids": {"ids": [{"metadata": c} for c in claims]}}


def _claim(place: AuthzContext, key: str, value: str) -> Json:
    _http(place, key)
    names = {"request.auth.audiences": ["aud"], "request.auth.presenter": ["azp"]}
    path = names.get(key) or names_in_brackets(key)
    return {"metadata": authz_matchers.claim_among(path, [value])}


def _request_header(place: AuthzContext, key: str, value: str) -> Json:
    _http(place, key)
    (name,) = names_in_brackets(key)
    return {"header": authz_matchers.header(name, value)}


def _host(place: AuthzContext, key: str, value: str) -> Json:
    _http(place, key)
    return {"header": authz_matchers.header(":authority", value, ignore_case=True)}


def _method(place: AuthzContext, key: str, value: str) -> Json:
    _http(place, key)
    return {"header": authz_matchers.header(":method", value)}


def _path(place: AuthzContext, key: str, value: str) -> Json:
    _http(place, key)
    return authz_matchers.path(value)


def _port(place: AuthzContext, _key: str, value: str) -> Json:
    """Decided here, since each port has rules of its own: the port that Envoy sees may be another
    than the one that is written."""
    here: Json = {"any": True}
    return here if int(value) == place.port else {"not_rule": here}


def _destination_ip(_place: AuthzContext, _key: str, value: str) -> Json:
    return {"destination_ip": authz_matchers.cidr(value)}


def _sni(_place: AuthzContext, _key: str, value: str) -> Json:
    return {"requested_server_name": authz_matchers.text(value)}


def _http(place: AuthzContext, key: str) -> None:
    if place.tcp:
        raise UnfitError(key)


SOURCES: Mapping[str, Maker] = {
    "principals": _principal,
    "request_principals": _request_principal,
    "namespaces": _namespace,
    "service_accounts": _service_account,
    "remote_ip_blocks": _remote_ip,
    "ip_blocks": _source_ip,
}
"""Fields of a Source, in Istio's order; each has its ``not_`` twin."""
OPERATIONS: Mapping[str, Maker] = {
    "hosts": _host,
    "methods": _method,
    "paths": _path,
    "ports": _port,
}
_OF_PERMISSIONS: Mapping[str, Maker] = {
    "destination.ip": _destination_ip,
    "destination.port": _port,
    "connection.sni": _sni,
}
_OF_PRINCIPALS: Mapping[str, Maker] = {
    "source.ip": _source_ip,
    "remote.ip": _remote_ip,
    "source.namespace": _namespace,
    "source.serviceAccount": _service_account,
    "source.principal": _principal,
    "request.auth.principal": _request_principal,
    "request.auth.audiences": _claim,
    "request.auth.presenter": _claim,
}


def of_permissions(key: str) -> Maker | None:
    """The maker of a condition about what is asked for; None for one about who asks."""
    return _OF_PERMISSIONS.get(key)


def of_principals(key: str) -> Maker | None:
    """The maker of a condition about who asks; None for one about what is asked for."""
    if key.startswith(HEADERS):
        return _request_header
    if key.startswith(CLAIMS):
        return _claim
    return _OF_PRINCIPALS.get(key)
