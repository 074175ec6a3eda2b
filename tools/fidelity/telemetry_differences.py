"""The part of ``differences.DIFFERENCES`` that is about what proxies report."""

from __future__ import annotations

from collections.abc import Mapping

TELEMETRY: Mapping[str, str] = {
    "telemetry.Tracing.providers": (
        "spans go to the provider's service where that is in the mesh (and then not to the mesh's "
        "own store), else to the mesh's own store; in Istio there are none then"
    ),
    "telemetry.AccessLogging.providers": (
        "a file without a form of its own is the mesh's own log, in meshproof's JSON format; a "
        "provider of another kind comes beside it"
    ),
    "telemetry.Metrics.reportingInterval": "bytes of a TCP connection are counted when it ends",
    "telemetry.TagOverride.value": (
        "a CEL expression over Envoy's own attributes: those of Istio's peer metadata are empty, "
        "and what is empty is - where Istio writes unknown"
    ),
    "telemetry.MetricSelector.metric": (
        "of requests and of TCP connections that end; TCP_OPENED_CONNECTIONS and messages of gRPC "
        "are not counted here"
    ),
    "extension_providers.EnvoyFileAccessLog.path": (
        "/dev/stdout and /dev/stderr, which are the sidecar's log in the run folder"
    ),
    "telemetry.LogFilter.expression": (
        "the Envoys parse it: a bad one is rolled back on all of them, and the call fails with "
        "Envoy's message instead of file and line"
    ),
}
