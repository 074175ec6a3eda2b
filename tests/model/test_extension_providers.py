"""MeshConfig's extension providers: what is accepted, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from meshproof.model.extension_providers import ExtensionProviders

CHECKER = "service: authz.foo.svc.cluster.local, port: 8000"


def _read(text: str) -> Any:
    return TypeAdapter(ExtensionProviders).validate_python(yaml.safe_load(text))


@pytest.mark.parametrize(
    "provider",
    [
        f"{{name: a, envoyExtAuthzHttp: {{{CHECKER}, timeout: 1s, pathPrefix: /check,"
        " failOpen: true, clearRouteCache: true, statusOnError: '503',"
        " includeRequestHeadersInCheck: [x-ext-authz, 'x-a*'],"
        " includeAdditionalHeadersInCheck: {x-more: '%REQ(:path)%'},"
        " includeRequestBodyInCheck: {maxRequestBytes: 8192, allowPartialMessage: true},"
        " headersToUpstreamOnAllow: [x-user], headersToDownstreamOnDeny: ['*-why'],"
        " headersToDownstreamOnAllow: [x-cost]}}",
        "{name: a, envoyExtAuthzGrpc: {service: foo/authz.foo.svc.cluster.local, port: 9000}}",
        "{name: a, zipkin: {service: zipkin.istio-system.svc.cluster.local, port: 9411}}",
        "{name: a, opentelemetry: {service: otel.test, port: 4317}}",
        "{name: a, opentelemetry: {service: otel.test, port: 4318, http: {path: v1/traces}}}",
        "{name: a, prometheus: {}}",
        "{name: a, envoyFileAccessLog: {path: /dev/stdout, logFormat: {labels: {code: '%B%'}}}}",
        "{name: a, envoyOtelAls: {service: otel.test, port: 4317}}",
    ],
)
def test_a_provider_that_works_here(provider: str) -> None:
    (read,) = _read(f"[{provider}]")
    assert read.name == "a"


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        ("{name: a}", "has no providers"),
        ("{name: '', prometheus: {}}", "at least 1 character"),
        ("{name: a, prometheus: {}, zipkin: {service: z, port: 1}}", "has 2 providers"),
        ("{name: a, envoyExtAuthzHttp: {service: z}}", "Field required"),
        ("{name: a, envoyExtAuthzHttp: {service: 'a b', port: 1}}", "is not a service"),
        ("{name: a, envoyExtAuthzHttp: {service: '*.a', port: 1}}", "is not a service"),
        ("{name: a, envoyExtAuthzGrpc: {service: z, port: 70000}}", "less than or equal"),
        (f"{{name: a, envoyExtAuthzHttp: {{{CHECKER}, pathPrefix: check}}}}", "begin with /"),
        (f"{{name: a, envoyExtAuthzHttp: {{{CHECKER}, statusOnError: '999'}}}}", "not a status"),
        (f"{{name: a, envoyExtAuthzHttp: {{{CHECKER}, statusOnError: '418'}}}}", "not a status"),
        (
            f"{{name: a, envoyExtAuthzHttp: {{{CHECKER}, headersToUpstreamOnAllow: ['*']}}}}",
            "which Istio refuses",
        ),
        ("{name: a, opentelemetry: {service: o, port: 1, http: {}, grpc: {}}}", "both http"),
        ("{name: a, skywalking: {service: o, port: 1}}", "Extra inputs"),
    ],
)
def test_a_provider_that_does_not(provider: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("*", r"\*")):
        _read(f"[{provider}]")


def test_two_providers_of_one_name() -> None:
    with pytest.raises(ValidationError, match="the name of two providers"):
        _read("[{name: a, prometheus: {}}, {name: a, prometheus: {}}]")
