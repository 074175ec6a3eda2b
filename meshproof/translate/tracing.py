"""Spans of every request, by the mesh's own collector or by a provider's.

Istio: core/tracing.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshproof.model.extension_providers import Header, OpenTelemetry
from meshproof.model.extension_providers import Zipkin as ZipkinProvider
from meshproof.model.telemetry import CustomTag, EnvironmentTag, HeaderTag
from meshproof.translate.proto import Json, build_any, build_extension, seconds
from meshproof.translate.provider_hosts import Provider
from meshproof.translate.telemetry import EVERYTHING, Reporting
from meshproof.translate.workload_metadata import WorkloadMetadata

ZIPKIN = "zipkin"
"""The static cluster of the span collector, and its path as Istio's zipkin provider has it."""
SPANS_PATH = "/api/v2/spans"
_ALL: Json = {"value": 100}
_TIMEOUT = 5.0
"""Seconds that a collector may take for a report by HTTP."""
_ZIPKIN = ("envoy.tracers.zipkin", "envoy.config.trace.v3.ZipkinConfig")
_OTEL = ("envoy.tracers.opentelemetry", "envoy.config.trace.v3.OpenTelemetryConfig")
_UUID = "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"


def build_tracing(workload: WorkloadMetadata, report: Reporting = EVERYTHING) -> Json:
    """Spans, tagged with the run id. The listener's traffic_direction makes them CLIENT (OUTBOUND)
    or SERVER (INBOUND) spans."""
    tracing: Json = {
        "client_sampling": _ALL,
        "random_sampling": {"value": report.sampling},
        "overall_sampling": _ALL,
        "custom_tags": list(_tags(workload, report)),
        "provider": _build_tracer(workload, report.tracer),
    }
    spec = report.tracer.spec if report.tracer else None
    longest = (spec.zipkin or spec.opentelemetry) if spec else None
    if longest is not None and longest.max_tag_length:
        tracing["max_path_tag_length"] = longest.max_tag_length
    return tracing


def request_id_fields(report: Reporting) -> Json:
    """A connection manager's field where the request id does not say whether a request is
    traced."""
    if report.sampling_by_request_id:
        return {}
    config = build_any(_UUID, use_request_id_for_trace_sampling=False)
    return {"request_id_extension": {"typed_config": config}}


def _tags(workload: WorkloadMetadata, report: Reporting) -> Iterator[Json]:
    literals = {
        "istio.canonical_revision": workload.version,
        "istio.canonical_service": workload.app,
        "istio.namespace": workload.namespace,
    }
    for name, value in literals.items() if report.istio_tags else ():
        yield {"tag": name, "literal": {"value": value}}
    yield {"tag": "run_id", "request_header": {"name": "x-run-id"}}
    for name, tag in sorted((report.tags or {}).items()):
        yield from _custom_tag(name, tag, report.environment)


def _custom_tag(name: str, tag: CustomTag, environment: Mapping[str, str]) -> Iterator[Json]:
    if tag.literal is not None:
        yield {"tag": name, "literal": {"value": tag.literal.value}}
    elif tag.header is not None:
        yield {"tag": name, "request_header": _with_default(tag.header)}
    elif tag.environment is not None and tag.environment.name in environment:
        yield {"tag": name, "literal": {"value": environment[tag.environment.name]}}
    elif tag.environment is not None:
        yield {"tag": name, "environment": _with_default(tag.environment)}
    elif tag.formatter is not None:
        yield {"tag": name, "value": tag.formatter.value}


def _with_default(tag: HeaderTag | EnvironmentTag) -> Json:
    default = {"default_value": tag.default_value} if tag.default_value else {}
    return {"name": tag.name, **default}


def _build_tracer(workload: WorkloadMetadata, provider: Provider | None) -> Json:
    if provider is not None and provider.spec.zipkin is not None:
        return _zipkin(provider, provider.spec.zipkin)
    if provider is not None and provider.spec.opentelemetry is not None:
        return _opentelemetry(workload, provider, provider.spec.opentelemetry)
    return build_extension(
        *_ZIPKIN,
        collector_cluster=ZIPKIN,
        collector_endpoint=SPANS_PATH,
        collector_endpoint_version="HTTP_PROTO",
        trace_id_128bit=True,
        shared_span_context=False,
        trace_context_option="USE_B3_WITH_W3C_PROPAGATION",
    )


def _zipkin(provider: Provider, spec: ZipkinProvider) -> Json:
    uri = f"http://{provider.host}{spec.path or SPANS_PATH}"
    return build_extension(
        *_ZIPKIN,
        collector_service=_http_service(provider, uri, spec.timeout, spec.headers),
        collector_endpoint_version="HTTP_JSON",
        trace_id_128bit=not spec.enable_64bit_trace_id,
        shared_span_context=False,
        trace_context_option=spec.trace_context_option,
    )


def _opentelemetry(workload: WorkloadMetadata, provider: Provider, spec: OpenTelemetry) -> Json:
    name = f"{workload.app}.{workload.namespace}"
    if spec.http is not None:
        uri = f"{provider.host}/{spec.http.path.lstrip('/')}"
        service = _http_service(provider, uri, spec.http.timeout, spec.http.headers)
        return build_extension(*_OTEL, service_name=name, http_service=service)
    grpc: Json = {"envoy_grpc": {"cluster_name": provider.cluster, "authority": provider.host}}
    if spec.grpc is not None and spec.grpc.timeout is not None:
        grpc["timeout"] = seconds(spec.grpc.timeout)
    if spec.grpc is not None and spec.grpc.initial_metadata:
        metadata = [{"key": h.name, "value": h.value} for h in spec.grpc.initial_metadata]
        grpc["initial_metadata"] = metadata
    return build_extension(*_OTEL, service_name=name, grpc_service=grpc)


def _http_service(
    provider: Provider, uri: str, timeout: float | None, headers: list[Header]
) -> Json:
    service: Json = {
        "http_uri": {
            "uri": uri,
            "cluster": provider.cluster,
            "timeout": seconds(_TIMEOUT if timeout is None else timeout),
        }
    }
    if headers:
        service["request_headers_to_add"] = [
            {
                "header": {"key": h.name, "value": h.value},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
            for h in headers
        ]
    return service
