"""Route metadata: the rule and the field that a route was built from.

As in Istio, ``istio: {config: /apis/../namespaces/NS/virtual-service/NAME}`` (pilot/pkg/util,
BuildConfigInfoMetadata). What Istio does not record, the field and kinds other than VirtualService,
is under a key of our own. Envoy ignores it; ``meshproof.explain`` reads it.
"""

from __future__ import annotations

from typing import Any

from meshproof.model.virtual_service import HTTPRoute, VirtualService
from meshproof.translate.proto import Json
from meshproof.translate.world import Named

_APIS = {
    "VirtualService": ("networking.istio.io/v1", "virtual-service"),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", "http-route"),
    "GRPCRoute": ("gateway.networking.k8s.io/v1", "grpc-route"),
}


class OriginRoute(HTTPRoute):
    """A route of a VirtualService that stems from another document: a delegate or an HTTPRoute."""

    kind: str
    namespace: str
    document: str
    field: str


def with_origin(http: HTTPRoute, kind: str, namespace: str, name: str, field: str) -> OriginRoute:
    """``http``, which comes from ``field`` of another document than its VirtualService."""
    fields: dict[str, Any] = dict(http)
    return OriginRoute.model_construct(
        set(http.model_fields_set),
        **fields,
        kind=kind,
        namespace=namespace,
        document=name,
        field=field,
    )


def build_l4_metadata(rule: Named[VirtualService], kind: str, number: int) -> Json:
    """For the filter chain built from ``kind`` (tls or tcp) entry ``number`` of a rule."""
    return _metadata("VirtualService", rule.namespace, rule.name, f"spec.{kind}[{number}]")


def build_metadata(
    rule: Named[VirtualService], http: HTTPRoute, number: int, match: int | None
) -> Json:
    """For the route built from http entry ``number`` of a rule and one of its match entries."""
    kind, namespace, name = "VirtualService", rule.namespace, rule.name
    field = f"spec.http[{number}]" + ("" if match is None else f".match[{match}]")
    if isinstance(http, OriginRoute):
        kind, namespace, name, field = http.kind, http.namespace, http.document, http.field
    return _metadata(kind, namespace, name, field)


def _metadata(kind: str, namespace: str, name: str, field: str) -> Json:
    api, plural = _APIS[kind]
    config = f"/apis/{api}/namespaces/{namespace}/{plural}/{name}"
    return {
        "filter_metadata": {
            "istio": {"config": config},
            "meshproof": {"kind": kind, "field": field},
        }
    }
