"""Routes of a VirtualService as rules of an HTTPRoute. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshproof.model.destination_rule import DestinationRule
from meshproof.model.resource import Resource
from meshproof.model.virtual_service import HTTPRoute
from meshproof.model.virtual_service_route import (
    Destination,
    HeaderOperations,
    Headers,
    HTTPMatchRequest,
    HTTPRedirect,
    HTTPRewrite,
    HTTPRouteDestination,
    StringMatch,
    claims_of,
)
from meshproof.translate.authz_matchers import quote_regex
from meshproof.translate.host_names import fqdn

Json = dict[str, Any]
Change = str
_UNSAID = ("fault", "retries", "cors_policy", "direct_response", "delegate")
"""Parts of a route that an HTTPRoute has not, or gives another meaning."""
_MATCHED = frozenset(("name", "uri", "method", "headers", "query_params"))


class LossError(Exception):
    """What cannot be said without loss."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class RuleWriter:
    """Writes the rules of one VirtualService; ``services`` are those that its subsets need, by
    namespace and name."""

    def __init__(
        self,
        resource: Resource,
        services: Mapping[str, Resource],
        rules: Mapping[str, Resource],
    ) -> None:
        self._resource, self._services, self._rules = resource, services, rules
        self.changes: list[Change] = []
        self.services: dict[tuple[str, str], Json] = {}

    def rule(self, index: int, http: HTTPRoute) -> Json:
        """Raises LossError, with the field."""
        at = f"http[{index}]"
        for name in _UNSAID:
            if getattr(http, name) is not None:
                alias = HTTPRoute.model_fields[name].alias
                raise LossError(f"{at}.{alias} has no counterpart that means the same")
        rule: Json = {} if http.name is None else {"name": http.name}
        rule["matches"] = [self._match(f"{at}.match[{n}]", m) for n, m in enumerate(http.match)]
        rule["matches"] = rule["matches"] or [{"path": {"type": "PathPrefix", "value": "/"}}]
        filters = [
            *_header_filters(http.headers),
            *self._mirrors(http, at),
            *self._rewrite(http, at),
        ]
        if http.redirect is not None:
            filters.append(_redirect(http.redirect, at))
        if filters:
            rule["filters"] = filters
        if http.route:
            weights = len(http.route) > 1
            rule["backendRefs"] = [self._backend(r, at, weights=weights) for r in http.route]
        if http.timeout:
            rule["timeouts"] = {"request": _duration(http.timeout)}
        return rule

    def _match(self, at: str, match: HTTPMatchRequest) -> Json:
        for name in match.model_fields_set - _MATCHED:
            if getattr(match, name):
                raise LossError(f"{at}.{HTTPMatchRequest.model_fields[name].alias} is not matched")
        result: Json = {"path": self._path(match.uri)}
        if match.method is not None:
            if match.method.exact is None:
                raise LossError(f"{at}.method is matched exactly alone")
            result["method"] = match.method.exact
        if match.headers:
            if any(claims_of(name) for name in match.headers):
                raise LossError(f"{at}.headers has claims of tokens")
            result["headers"] = [_named(n, m) for n, m in match.headers.items()]
        if match.query_params:
            result["queryParams"] = [_named(n, m) for n, m in match.query_params.items()]
        return result

    def _path(self, uri: StringMatch | None) -> Json:
        if uri is None:
            return {"type": "PathPrefix", "value": "/"}
        if uri.exact is not None:
            return {"type": "Exact", "value": uri.exact}
        if uri.regex is not None:
            return {"type": "RegularExpression", "value": uri.regex}
        prefix = uri.prefix or "/"
        if prefix != "/":
            stem = prefix.rstrip("/")
            other = f"{stem} itself" if prefix.endswith("/") else f"not {stem}x"
            self.changes.append(f"prefix {prefix} ends at a slash now: it takes {other}")
            prefix = stem
        return {"type": "PathPrefix", "value": prefix}

    def _rewrite(self, http: HTTPRoute, at: str) -> Iterator[Json]:
        rewrite: HTTPRewrite | None = http.rewrite
        if rewrite is None:
            return
        fields: Json = {} if rewrite.authority is None else {"hostname": rewrite.authority}
        if rewrite.uri_regex_rewrite is not None:
            raise LossError(f"{at}.rewrite.uriRegexRewrite has no counterpart")
        if rewrite.uri is not None:
            uris = [match.uri for match in http.match]
            if len(uris) != 1 or uris[0] is None or uris[0].prefix in (None, "", "/"):
                raise LossError(f"{at}.rewrite.uri replaces a path of no single prefix")
            self.changes.append(f"{at}.rewrite.uri replaces whole segments of the path")
            path = {"type": "ReplacePrefixMatch", "replacePrefixMatch": rewrite.uri}
            fields["path"] = path
        yield {"type": "URLRewrite", "urlRewrite": fields}

    def _mirrors(self, http: HTTPRoute, at: str) -> Iterator[Json]:
        for destination, percentage in http.all_mirrors():
            mirror: Json = {"backendRef": self._reference(destination, f"{at}.mirror")}
            if percentage is not None:
                numerator = round(percentage.value * 10_000)
                mirror["fraction"] = {"numerator": numerator, "denominator": 1_000_000}
            yield {"type": "RequestMirror", "requestMirror": mirror}

    def _backend(self, entry: HTTPRouteDestination, at: str, *, weights: bool) -> Json:
        reference = self._reference(entry.destination, f"{at}.route")
        if weights:
            reference["weight"] = entry.weight
        if filters := _header_filters(entry.headers):
            reference["filters"] = filters
        return reference

    def _reference(self, destination: Destination, at: str) -> Json:
        host = fqdn(destination.host, self._resource.namespace)
        service = self._services.get(host)
        if service is None:
            raise LossError(f"{at}: {destination.host} is no Service of these files")
        ports = [p.port for p in service.spec.ports]
        if destination.port is None and len(ports) != 1:
            raise LossError(f"{at}: {service.title} has several ports, and none is named")
        port = ports[0] if destination.port is None else destination.port.number
        name = self._subset(service, destination.subset, at) if destination.subset else service.name
        reference: Json = {"name": name, "port": port}
        if service.namespace != self._resource.namespace:
            reference["namespace"] = service.namespace
        return reference

    def _subset(self, service: Resource, subset: str, at: str) -> str:
        """The name of a Service with the subset's pods alone."""
        host = f"{service.name}.{service.namespace}.svc.cluster.local"
        rule = self._rules.get(host)
        spec: DestinationRule | None = rule.spec if rule is not None else None
        chosen = next((s for s in spec.subsets if s.name == subset), None) if spec else None
        if spec is None or rule is None or chosen is None:
            raise LossError(f"{at}: no DestinationRule of these files has subset {subset}")
        if spec.traffic_policy is not None or chosen.traffic_policy is not None:
            raise LossError(f"{at}: {rule.title} has a trafficPolicy, which is by host")
        name = f"{service.name}-{subset}"
        body = {
            "selector": {**service.spec.selector, **chosen.labels},
            "ports": service.body.get("spec", {}).get("ports", []),
        }
        self.services[service.namespace, name] = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": service.namespace},
            "spec": body,
        }
        self.changes.append(f"subset {subset} of {service.name} is a Service of its own: {name}")
        return name


def _named(name: str, match: StringMatch) -> Json:
    """A header or a query parameter; without a value it is to be there."""
    if match.exact is not None and match.exact:
        return {"type": "Exact", "name": name, "value": match.exact}
    if match.exact is not None:
        raise LossError(f"{name}: an empty value is not matched")
    text = match.regex if match.regex is not None else f"{quote_regex(match.prefix or '')}.*"
    return {"type": "RegularExpression", "name": name, "value": text}


def _header_filters(headers: Headers) -> list[Json]:
    pairs = (("request", headers.request), ("response", headers.response))
    return [
        {
            "type": f"{side.capitalize()}HeaderModifier",
            f"{side}HeaderModifier": _operations(operations),
        }
        for side, operations in pairs
        if operations.set or operations.add or operations.remove
    ]


def _operations(operations: HeaderOperations) -> Json:
    fields: Json = {
        name: [{"name": header, "value": value} for header, value in values.items()]
        for name, values in (("set", operations.set), ("add", operations.add))
        if values
    }
    if operations.remove:
        fields["remove"] = list(operations.remove)
    return fields


def _redirect(redirect: HTTPRedirect, at: str) -> Json:
    if redirect.port is None and redirect.scheme is None:
        if redirect.derive_port != "FROM_REQUEST_PORT":
            raise LossError(f"{at}.redirect: its port is the protocol's, and here the request's")
    elif redirect.derive_port is not None:
        raise LossError(f"{at}.redirect.derivePort has no counterpart beside scheme or port")
    fields: Json = {"statusCode": redirect.redirect_code or 301}
    names = (("scheme", redirect.scheme), ("hostname", redirect.authority), ("port", redirect.port))
    fields |= {name: value for name, value in names if value is not None}
    if redirect.uri is not None:
        fields["path"] = {"type": "ReplaceFullPath", "replaceFullPath": redirect.uri}
    return {"type": "RequestRedirect", "requestRedirect": fields}


def _duration(seconds: float) -> str:
    """In GEP-2257's form."""
    milliseconds = round(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return "".join([f"{whole}s" if whole else "", f"{rest}ms" if rest else ""]) or "0s"
