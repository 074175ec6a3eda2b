"""Telemetry resources: what a proxy reports, from mesh, namespace and workload scope.

Istio: pilot/pkg/model/telemetry.go. The narrowest scope wins field by field; of the root namespace
and of the namespace the oldest resource counts, of those that select the workload every one. Unlike
in Istio, where both are off by default, every request is traced and logged: that is what proofs
read. Spans go to the mesh's own collector unless a provider's service is in the mesh.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from meshproof.model.extension_providers import LogFormat
from meshproof.model.mesh_config import MeshConfig
from meshproof.model.proxy_config import ProxyTracing
from meshproof.model.telemetry import AccessLogging, CustomTag, Telemetry, Tracing
from meshproof.translate.provider_hosts import Provider, Providers, find_provider, providers_of
from meshproof.translate.telemetry_logs import ENVOY, LogSettings, merge_logs
from meshproof.translate.telemetry_metrics import (
    ALL_METRICS,
    PROMETHEUS,
    MetricSettings,
    Side,
    merge_metrics,
)
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Proxy, Replica, World, mesh_of

M = TypeVar("M", Tracing, AccessLogging)


@dataclass(frozen=True, slots=True)
class FormattedLog:
    """A log in a form of the user's own, on the sidecar's standard output."""

    path: str
    format: LogFormat
    omit_empty: bool = False
    expression: str = ""


@dataclass(frozen=True, slots=True)
class RemoteLog:
    """A log that is sent to a provider."""

    provider: Provider
    expression: str = ""


@dataclass(frozen=True)
class Reporting:
    """``sampling`` in percent; ``log`` is the mesh's own access log, ``expression`` its CEL filter,
    or empty."""

    spans: bool = True
    tracer: Provider | None = None
    """Who gets the spans; None for the mesh's own collector."""
    sampling: float = 100.0
    tags: Mapping[str, CustomTag] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """What ProxyConfigs add to the proxy's environment, for tags to read."""
    istio_tags: bool = True
    sampling_by_request_id: bool = True
    log: bool = True
    expression: str = ""
    further_logs: tuple[FormattedLog | RemoteLog, ...] = ()
    metrics: MetricSettings = ALL_METRICS


EVERYTHING: Final = Reporting()


def select_reporting(world: World, proxy: Proxy | Replica, side: Side) -> Reporting:
    """What a proxy reports on one side. CLIENT is outbound traffic, and a gateway's."""
    mesh, providers = mesh_of(world, proxy), providers_of(world)
    specs = list(_scopes(world, proxy.namespace, proxy.labels))
    reporting = _mesh_reporting(mesh, providers)
    for spec in specs:
        for tracing in _for_side(spec.tracing, side):
            reporting = _apply_tracing(reporting, tracing, providers)
    metrics = merge_metrics(
        (entry for spec in specs for entry in spec.metrics),
        mesh.default_providers.metrics or [PROMETHEUS],
        [PROMETHEUS, *(n for n, p in providers.items() if p.spec.prometheus is not None)],
        side,
    )
    logging = [spec.access_logging for spec in specs if spec.access_logging]
    return replace(_apply_logs(reporting, mesh, logging, providers, side), metrics=metrics)


def _mesh_reporting(mesh: MeshConfig, providers: Providers) -> Reporting:
    """Where no Telemetry says otherwise: ``enableTracing`` false ends spans, unless there is a
    default provider (Istio: configureTracing in pilot/pkg/networking/core/tracing.go)."""
    tracing = mesh.default_config.tracing or ProxyTracing()
    defaults = mesh.default_providers.tracing
    return Reporting(
        spans=mesh.enable_tracing or bool(defaults),
        tracer=_tracer(defaults[0], providers) if defaults else None,
        sampling=EVERYTHING.sampling if tracing.sampling is None else tracing.sampling,
        tags=tracing.custom_tags or None,
        environment=mesh.default_config.proxy_metadata,
    )


def _scopes(world: World, namespace: str, labels: Mapping[str, str]) -> Iterator[Telemetry]:
    """Outer scopes first."""
    telemetries = world.telemetries
    for scope in dict.fromkeys((world.mesh.root_namespace, namespace)):
        wide = (t.spec for t in telemetries if t.namespace == scope and _is_wide(t.spec))
        if (first := next(wide, None)) is not None:
            yield first
    for telemetry in telemetries:
        if telemetry.namespace == namespace and _selects(telemetry.spec, labels):
            yield telemetry.spec


def _is_wide(spec: Telemetry) -> bool:
    """Whether it is for all workloads."""
    return not spec.has_target and not (spec.selector and spec.selector.match_labels)


def _selects(spec: Telemetry, labels: Mapping[str, str]) -> bool:
    wanted_labels = spec.selector.match_labels if spec.selector else {}
    return bool(wanted_labels) and has_labels(labels, wanted_labels)


def _for_side(entries: list[M], side: Side) -> Iterator[M]:
    return (e for e in entries if e.match.mode in (side, "CLIENT_AND_SERVER"))


def _apply_tracing(reporting: Reporting, tracing: Tracing, providers: Providers) -> Reporting:
    if tracing.providers:
        tracer = _tracer(tracing.providers[0].name, providers)
        reporting = replace(reporting, spans=True, tracer=tracer)
    if tracing.disable_span_reporting is not None:
        reporting = replace(reporting, spans=not tracing.disable_span_reporting)
    if tracing.random_sampling_percentage is not None:
        reporting = replace(reporting, sampling=tracing.random_sampling_percentage)
    if tracing.use_request_id_for_trace_sampling is not None:
        by_id = tracing.use_request_id_for_trace_sampling
        reporting = replace(reporting, sampling_by_request_id=by_id)
    if tracing.enable_istio_tags is not None:
        reporting = replace(reporting, istio_tags=tracing.enable_istio_tags)
    return replace(reporting, tags=tracing.custom_tags) if tracing.custom_tags else reporting


def _tracer(name: str, providers: Providers) -> Provider | None:
    """None where the provider is not one of traces, or its service is not in the mesh."""
    provider = find_provider(providers, name)
    if provider is None or not provider.cluster:
        return None
    return provider if provider.spec.zipkin or provider.spec.opentelemetry else None


def _apply_logs(
    reporting: Reporting,
    mesh: MeshConfig,
    scopes: Sequence[Sequence[AccessLogging]],
    providers: Providers,
    side: Side,
) -> Reporting:
    """The mesh's own log stands for every provider that is a file."""
    settings = merge_logs(scopes, mesh.default_providers.access_logging or [ENVOY], side)
    if not scopes and not mesh.default_providers.access_logging and not mesh.access_log_file:
        return reporting
    files = [s for n, s in sorted(settings.items()) if _is_file(n, providers)]
    enabled = [s for s in files if not s.disabled]
    logs = (_further_log(n, s, mesh, providers) for n, s in sorted(settings.items()))
    return replace(
        reporting,
        log=bool(enabled) or not files,
        expression=enabled[0].expression if enabled else "",
        further_logs=tuple(log for log in logs if log is not None),
    )


def _is_file(name: str, providers: Providers) -> bool:
    provider = find_provider(providers, name)
    if provider is None:
        return name.lower() == ENVOY
    return provider.spec.envoy_file_access_log is not None


def _further_log(
    name: str, settings: LogSettings, mesh: MeshConfig, providers: Providers
) -> FormattedLog | RemoteLog | None:
    if settings.disabled:
        return None
    provider = find_provider(providers, name)
    if provider is not None and provider.spec.envoy_otel_als is not None:
        return RemoteLog(provider, settings.expression) if provider.cluster else None
    file = provider.spec.envoy_file_access_log if provider is not None else None
    if file is not None and (file.log_format is not None or file.omit_empty_values):
        form = file.log_format or LogFormat()
        return FormattedLog(file.path, form, file.omit_empty_values, settings.expression)
    if name.lower() == ENVOY and (own := mesh.log_format) is not None:
        return FormattedLog(mesh.access_log_file or "/dev/stdout", own, False, settings.expression)
    return None
