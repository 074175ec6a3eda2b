"""Header operations of a VirtualService (Istio: translateHeadersOperations)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.model.virtual_service_route import HeaderOperations, Headers
from meshproof.translate.proto import Json

_SET = "OVERWRITE_IF_EXISTS_OR_ADD"
_ADD = "APPEND_IF_EXISTS_OR_ADD"


@dataclass(frozen=True, slots=True)
class HeaderChanges:
    """``fields`` are the four header fields of a Route or a ClusterWeight, without empty ones.

    ``authority`` is the value of ``host`` or ``:authority`` in the request's set or add: Envoy has
    a field of its own for rewriting the host.
    """

    fields: Json
    authority: str = ""


def translate_headers(headers: Headers) -> HeaderChanges:
    request, response = headers.request, headers.response
    fields: Json = {
        "request_headers_to_add": list(_headers_to_add(request)),
        "request_headers_to_remove": _headers_to_remove(request),
        "response_headers_to_add": list(_headers_to_add(response)),
        "response_headers_to_remove": _headers_to_remove(response),
    }
    return HeaderChanges({k: v for k, v in fields.items() if v}, _authority(request))


def _is_authority(name: str) -> bool:
    return name.lower() in ("host", ":authority")


def _headers_to_add(operations: HeaderOperations) -> Iterator[Json]:
    """Set before add, each sorted by name; pseudo headers cannot be changed."""
    for values, action in ((operations.set, _SET), (operations.add, _ADD)):
        for name, value in sorted(values.items()):
            if not name.startswith(":") and not _is_authority(name):
                yield {"header": {"key": name, "value": value}, "append_action": action}


def _headers_to_remove(operations: HeaderOperations) -> list[str]:
    return [n for n in operations.remove if not n.startswith(":") and n.lower() != "host"]


def _authority(operations: HeaderOperations) -> str:
    for values in (operations.set, operations.add):
        for name, value in values.items():
            if _is_authority(name):
                return value
    return ""


def merge_header_fields(first: Json, second: Json) -> Json:
    """The header fields of both, ``first``'s first."""
    return {
        **first,
        **{name: [*first.get(name, []), *values] for name, values in second.items()},
    }
