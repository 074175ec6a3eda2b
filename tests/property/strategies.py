"""Hypothesis strategies for a model's YAML, from its annotations and limits.

Names come from small pools, so that rules refer to each other: existing and missing hosts, subsets,
labels. Values at and just beyond the limits are drawn too, and texts that no field expects; rarely,
or every rule would be refused.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as limits
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from meshproof.model import v1alpha2
from meshproof.model.base_model import Model
from meshproof.model.durations import Duration
from meshproof.model.gateway import GatewayServer
from meshproof.model.http_route import HTTPPathMatch, HTTPRouteTimeouts, NamedMatch
from meshproof.model.http_route_filters import (
    Fraction,
    HTTPHeader,
    HTTPPathModifier,
    HTTPRouteFilter,
)
from meshproof.model.http_route_references import ParentReference
from meshproof.model.virtual_service import HTTPRoute, VirtualService
from meshproof.model.virtual_service_route import (
    Abort,
    CorsPolicy,
    Delay,
    HTTPFaultInjection,
    HTTPRedirect,
    HTTPRetry,
    HTTPRewrite,
    StringMatch,
)

Values = st.SearchStrategy[Any]

_HOSTS = (
    "echo", "other", "echo.default.svc.cluster.local", "m.test", "*.m.test", "a.m.test", "nowhere",
)  # fmt: skip
_TEXTS = ("a", "v1", "x-a", "/", "/a", "/a/", "[a-z]+", "http", "50051")
_ODD = ("", ".*", "*", "(", "é", " b", "a\nb", "10.0.0.1", "%", "%REQ(X)%", "x" * 300)
"""One text in twenty is one of these, whatever the field."""
_POOLS: Mapping[str, tuple[str, ...]] = {
    "host": _HOSTS,
    "hosts": _HOSTS,
    "sniHosts": _HOSTS,
    "allowMethods": ("GET", "POST", "get"),
    "scheme": ("http", "https", "ftp"),
    "authority": _HOSTS,
    "subset": ("v1", "v2", "v9"),
    "gateways": ("mesh", "gw", "default/gw", "nowhere"),
    "exportTo": ("*", ".", "~", "default", "far"),
    "addresses": ("10.0.0.1", "10.0.0.1/32", "10.0.0.0/8"),
    "address": ("10.0.0.1", "m.test", "nowhere.test"),
    "retryOn": ("5xx", "503", "503,gateway-error", "nonsense", "reset,  ,504", "9999"),
    "uri": ("/", "/new", "/a?b", "x"),
    "match": ("/.*", "^/a/(.*)$"),
    "rewrite": ("/b", r"/\1", r"/\9"),
    "bytes": ("aGVsbG8=", "no"),
    "credentialName": ("shop",),
    "grpcStatus": ("OK", "UNAVAILABLE", "TIRED"),
    "replacePrefixMatch": ("/", "/n", "/n/"),
    "replaceFullPath": ("/", "/w", r"\1"),
    "group": ("", "networking.istio.io", "made.up"),
    "kind": ("Service", "ServiceEntry", "Hostname", "Gateway"),
    "name": ("echo", "other", "nowhere", "gw", "part", "x-a"),
    "namespace": ("default", "far"),
}
_KEYS = ("x-a", "app", "version", "X-B") * 3 + ("host", ":path", "", "a b")
_DURATIONS = ("1s", "250ms", "1.5s", "1h") * 5 + ("0s", "999999h", "soon", "1ns")
_WHOLE = (1, 2, 80, 8080, 1024) * 3 + (0, 65535, 2**32)


def _often(good: tuple[str, ...]) -> Values:
    usual = st.sampled_from(good)
    return st.integers(0, 19).flatmap(lambda n: usual if n else st.sampled_from(_ODD))


@cache
def document(model: type[Model]) -> Values:
    """A ``spec``: each field with even odds, required ones always; some parts as they are meant,
    since all but a few of their fields exclude one another."""
    if model in _ONE_OF:
        return st.one_of([_one(model, n) for n in _ONE_OF[model]])
    if model in _AS_MEANT:
        intended = st.sampled_from(_AS_MEANT[model])
        return st.one_of(intended, intended, _any(model))
    if model in _SHAPES:
        shapes = st.one_of([_shaped(model, *shape) for shape in _SHAPES[model]])
        return st.integers(0, 9).flatmap(lambda n: shapes if n else _any(model))
    return _any(model)


_SHAPES: Mapping[type[Model], tuple[tuple[str, str], ...]] = {
    VirtualService: (("hosts http", "gateways"), ("hosts tcp", ""), ("hosts tls", "")),
    HTTPRoute: (
        ("route", "match rewrite timeout retries fault mirror corsPolicy headers"),
        ("redirect", "match headers"),
        ("directResponse", "match headers"),
    ),
    HTTPRewrite: (("uri", ""), ("authority", ""), ("uriRegexRewrite", "authority")),
    HTTPRedirect: (
        ("uri", "scheme redirectCode"),
        ("authority", "port"),
        ("authority", "derivePort"),
    ),
    HTTPRetry: (("attempts", ""), ("attempts retryOn", "perTryTimeout")),
    CorsPolicy: (("allowOrigins", "allowMethods allowHeaders maxAge allowCredentials"),),
    HTTPFaultInjection: (("delay", ""), ("abort", ""), ("delay abort", "")),
    Delay: (("fixedDelay", "percentage"),),
    Abort: (("httpStatus", "percentage"), ("grpcStatus", "percentage")),
}
"""Which fields stand together in Istio, required ones first; nine times of ten one of these. Of all
fields at random, Istio's validation would leave nothing."""


def _shaped(model: type[Model], required: str, optional: str) -> Values:
    infos = {info.alias or name: info for name, info in model.model_fields.items()}

    def drawn(names: str) -> dict[str, Values]:
        return {name: _field(name, infos[name]) for name in names.split()}

    filled = {name: values.filter(lambda v: v != []) for name, values in drawn(required).items()}
    return st.fixed_dictionaries(filled, optional=drawn(optional))


_ONE_OF: Mapping[type[Model], tuple[str, ...]] = {
    StringMatch: ("exact", "prefix", "regex"),
    HTTPRouteFilter: (
        "requestHeaderModifier", "responseHeaderModifier", "requestMirror", "requestRedirect",
        "urlRewrite", "cors",
    ),
    HTTPPathModifier: ("replaceFullPath", "replacePrefixMatch"),
}  # fmt: skip
_TYPES = {"urlRewrite": "URLRewrite", "cors": "CORS", "replacePrefixMatch": "ReplacePrefixMatch"}
_AS_MEANT: Mapping[type[Model], tuple[Any, ...]] = {
    ParentReference: (
        {"group": "", "kind": "Service", "name": "echo"},
        {"group": "", "kind": "Service", "name": "other", "port": 80},
    ),
    HTTPPathMatch: (
        {"value": "/a"}, {"type": "Exact", "value": "/a"},
        {"type": "RegularExpression", "value": ".*"},
    ),
    HTTPHeader: ({"name": "x-a", "value": "1"}, {"name": "Host", "value": "a"}),
    NamedMatch: (
        {"name": "x-a", "value": "1"},
        {"type": "RegularExpression", "name": "q", "value": "[0-9]+"},
    ),
    HTTPRouteTimeouts: ({"request": "1s"}, {"backendRequest": "100ms"}),
    Fraction: ({"numerator": 1, "denominator": 3}, {"numerator": 0}),
    GatewayServer: (
        {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]},
        {
            "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
            "hosts": ["a.m.test"],
            "tls": {"mode": "SIMPLE", "credentialName": "shop"},
        },
        {
            "port": {"number": 8443, "name": "tls", "protocol": "TLS"},
            "hosts": ["far/*.m.test"],
            "tls": {"mode": "PASSTHROUGH"},
        },
    ),
    v1alpha2.IstioService: ({"name": "echo"}, {"service": "m.test"}),
}  # fmt: skip


def _one(model: type[Model], field: str) -> Values:
    """One field alone, and the ``type`` that names it where there is one."""
    infos = {info.alias or name: info for name, info in model.model_fields.items()}
    drawn = {field: _field(field, infos[field])}
    if "type" in infos:
        drawn["type"] = st.just(_TYPES.get(field, field[0].upper() + field[1:]))
    return st.fixed_dictionaries(drawn)


_FILES = ("caCertificates", "clientCertificate", "privateKey")
"""Envoy reads these when it starts: no text at random names a file."""


def _any(model: type[Model]) -> Values:
    required: dict[str, Values] = {}
    optional: dict[str, Values] = {}
    for name, info in model.model_fields.items():
        alias = info.alias or name
        if alias in _FILES:
            continue
        place = required if info.is_required() else optional
        place[alias] = _field(alias, info)
    return st.fixed_dictionaries(required, optional=optional)


def _field(alias: str, info: FieldInfo) -> Values:
    annotation: Any = info.annotation
    if info.metadata:
        annotation = Annotated[(annotation, *info.metadata)]
    return _of(alias, annotation)


def _of(alias: str, annotation: Any) -> Values:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation == Duration or _is_duration(annotation):
        result: Values = st.sampled_from(_DURATIONS)
    elif origin is Annotated:
        result = _limited(alias, inner[0], inner[1:])
    elif origin in (Union, types.UnionType):
        result = st.one_of([_of(alias, a) for a in inner if a is not type(None)])
    elif origin is Literal:
        result = st.sampled_from(inner)
    elif origin is list:
        result = st.lists(_of(alias, inner[0]), max_size=3)
    elif origin is dict:
        result = st.dictionaries(st.sampled_from(_KEYS), _of(alias, inner[1]), max_size=2)
    elif isinstance(annotation, type) and issubclass(annotation, Model):
        result = st.deferred(lambda: document(annotation))
    else:
        result = _plain(alias, annotation)
    return result


def _is_duration(annotation: Any) -> bool:
    """A Duration keeps its parts when pydantic takes it apart: a serializer beside a float."""
    parts = get_args(annotation) if get_origin(annotation) is Annotated else ()
    return (
        bool(parts) and parts[0] is float and any("Serializer" in type(p).__name__ for p in parts)
    )


def _plain(alias: str, annotation: Any) -> Values:
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return st.sampled_from(_WHOLE)
    if annotation is float:
        return st.sampled_from((0.0, 0.5, 1.0, 33.3, 100.0))
    return _often(_POOLS.get(alias, _TEXTS))


def _limited(alias: str, inner: Any, metadata: tuple[Any, ...]) -> Values:
    base = _of(alias, inner)
    whole: list[int] = []
    for mark in metadata:
        for name in ("ge", "le"):
            bound = getattr(mark, name, None)
            if isinstance(bound, int):
                whole += [bound, bound + 1 if name == "le" else bound - 1]
        if isinstance(mark, limits.MinLen) and get_origin(inner) is list:
            base = st.lists(_of(alias, get_args(inner)[0]), min_size=mark.min_length, max_size=3)
    if whole and inner is int:
        good = [n for n in (*whole, 1, 2, 80, 443) if _within(n, metadata)]
        return st.sampled_from(good * 6 + whole)
    return base


def _within(number: int, metadata: tuple[Any, ...]) -> bool:
    lows = [m.ge for m in metadata if isinstance(m, limits.Ge)]
    highs = [m.le for m in metadata if isinstance(m, limits.Le)]
    return all(number >= low for low in lows) and all(number <= high for high in highs)  # type: ignore[operator]  # the limits of whole numbers
