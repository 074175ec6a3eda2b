"""Telemetry resources: what a proxy reports, from mesh, namespace and workload scope.

Istio: pilot/pkg/model/telemetry.go. The narrowest scope wins field by field, and the oldest
resource within a scope. Unlike in Istio, where both are off by default, every request is traced
and logged: that is what proofs read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.model.mesh_config import MeshConfig
from meshproof.model.proxy_config import ProxyTracing
from meshproof.model.telemetry import AccessLogging, CustomTag, Telemetry, Tracing
from meshproof.translate.workload_selection import has_labels
from meshproof.translate.world import Named, World

Side = Literal["CLIENT", "SERVER"]
"""CLIENT for outbound traffic (and a gateway's), SERVER for inbound traffic."""
M = TypeVar("M", Tracing, AccessLogging)


@dataclass(frozen=True)
class Reporting:
    """``sampling`` in percent; ``expression`` is the CEL filter of the access log, or empty."""

    spans: bool = True
    sampling: float = 100.0
    tags: Mapping[str, CustomTag] | None = None
    log: bool = True
    expression: str = ""


EVERYTHING: Final = Reporting()


def select_reporting(
    world: World,
    namespace: str,
    labels: Mapping[str, str],
    side: Side,
) -> Reporting:
    """What the proxy of a workload reports on one side."""
    reporting = _mesh_reporting(world.mesh)
    for spec in _scopes(world.telemetries, namespace, labels):
        for tracing in _for_side(spec.tracing, side):
            reporting = _apply_tracing(reporting, tracing)
        for logging in _for_side(spec.access_logging, side):
            reporting = _apply_logging(reporting, logging)
    return reporting


def _mesh_reporting(mesh: MeshConfig) -> Reporting:
    """Where no Telemetry says otherwise: ``enableTracing`` false ends spans, unless there is a
    default provider (Istio: configureTracing in pilot/pkg/networking/core/tracing.go)."""
    tracing = mesh.default_config.tracing or ProxyTracing()
    return Reporting(
        spans=mesh.enable_tracing or bool(mesh.default_providers.tracing),
        sampling=EVERYTHING.sampling if tracing.sampling is None else tracing.sampling,
        tags=tracing.custom_tags or None,
    )


def _scopes(
    telemetries: tuple[Named[Telemetry], ...], namespace: str, labels: Mapping[str, str]
) -> Iterator[Telemetry]:
    """Of the root namespace, the namespace and the workload, the oldest resource each."""
    without_selector = [t for t in telemetries if t.spec.selector is None and not t.spec.has_target]
    with_selector = [t for t in telemetries if t.spec.selector is not None]
    scopes = [
        [t for t in without_selector if t.namespace == ROOT_NAMESPACE],
        [t for t in without_selector if t.namespace == namespace != ROOT_NAMESPACE],
        [t for t in with_selector if t.namespace == namespace and _selects(t.spec, labels)],
    ]
    return (scope[0].spec for scope in scopes if scope)


def _selects(spec: Telemetry, labels: Mapping[str, str]) -> bool:
    return spec.selector is not None and has_labels(labels, spec.selector.match_labels)


def _for_side(entries: list[M], side: Side) -> Iterator[M]:
    return (e for e in entries if e.match.mode in (side, "CLIENT_AND_SERVER"))


def _apply_tracing(reporting: Reporting, tracing: Tracing) -> Reporting:
    if tracing.providers:
        reporting = replace(reporting, spans=True)
    if tracing.disable_span_reporting is not None:
        reporting = replace(reporting, spans=not tracing.disable_span_reporting)
    if tracing.random_sampling_percentage is not None:
        reporting = replace(reporting, sampling=tracing.random_sampling_percentage)
    return replace(reporting, tags=tracing.custom_tags) if tracing.custom_tags else reporting


def _apply_logging(reporting: Reporting, logging: AccessLogging) -> Reporting:
    if logging.disabled is not None:
        reporting = replace(reporting, log=not logging.disabled)
    if logging.filter is not None:
        reporting = replace(reporting, expression=logging.filter.expression)
    return reporting
