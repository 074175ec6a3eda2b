"""Names and values of headers in routes (``validation.go``, ``header_value_validator.go``)."""

from __future__ import annotations

import re

from meshproof.model.envoy_commands import format_problem
from meshproof.model.string_types import short
from meshproof.model.validation.node import Node, Violations

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~A-Za-z0-9]+")
STRICT_NAME = re.compile(r"[-_A-Za-z0-9]+")
_PSEUDO = frozenset((":method", ":scheme", ":authority", ":path", ":status"))
NAME = "letters, digits and -"


def token(name: str) -> str:
    """A header's name, by RFC 7230."""
    if not name:
        return "is an empty name of a header"
    return "" if _TOKEN.fullmatch(name) else f'"{short(name)}" is not the name of a header'


def cors_name(name: str) -> str:
    """``ValidateCORSHTTPHeaderName``."""
    return "" if name == "*" else token(name)


def is_claim(name: str) -> bool:
    """``jwt.ToRoutingClaim``: ``@request.auth.claims.a.b`` or ``@request.auth.claims[a][b]``."""
    prefix = "@request.auth.claims"
    rest = name[len(prefix) :] if name.lower().startswith(prefix) else ""
    dotted, brackets = rest.startswith("."), rest.startswith("[") and rest.endswith("]")
    return (dotted and len(rest) > 1) or (brackets and len(rest) > 2)


def match_name(name: str) -> str:
    """``ValidateHTTPHeaderNameOrJwtClaimRoute``."""
    return "" if is_claim(name) or name in _PSEUDO else token(name)


def is_authority(name: str) -> bool:
    return name.lower() in (":authority", "host")


def check_headers(headers: Node) -> Violations:
    """``headers`` of a route or a destination: what may be set, added and removed."""
    for side in ("request", "response"):
        operations = headers.get(side)
        for verb in ("set", "add"):
            for name, value in operations.entries(verb):
                if not (side == "request" and is_authority(name)):
                    yield from _check_changeable(value, name)
                yield from value.check(format_problem, "%COMMAND%, and %% for one %")
        for entry in operations.items("remove"):
            yield from _check_changeable(entry, entry.text)


def _check_changeable(node: Node, name: str) -> Violations:
    """``ValidateHTTPHeaderOperationName``."""
    if not name:
        yield node.refuse("is an empty name of a header", NAME)
    elif name.startswith(":") or name.lower() == "host":
        remedy = "write rewrite.uri" if name == ":path" else "write rewrite.authority"
        yield node.refuse(f"{name} is no header that may be changed here", "another", remedy)


def check_one_authority(rewrite: Node, headers: Node) -> Violations:
    """``validateAuthorityRewrite``: the authority is set once."""
    first = rewrite.get("authority").text
    for verb in ("set", "add"):
        for name, value in headers.get("request").entries(verb):
            if not is_authority(name):
                continue
            if first:
                yield value.refuse(f'sets the authority again, after "{first}"', "it once")
            first = value.text
