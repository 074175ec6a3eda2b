"""Telemetry, as ``ValidateTelemetry`` judges it."""

from __future__ import annotations

from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.policies import check_target
from meshproof.model.validation.values import check_durations

_TAGS = (("literal", "value"), ("environment", "name"), ("header", "name"), ("formatter", "value"))


def check_telemetry(document: Node) -> Violations:
    spec = document.get("spec")
    yield from check_target(spec)
    for entry in (*spec.items("metrics"), *spec.items("accessLogging"), *spec.items("tracing")):
        for provider in entry.items("providers"):
            if not provider.get("name").text:
                yield provider.get("name").refuse("is missing", "one of MeshConfig's providers")
    tracing = spec.items("tracing")
    if len(tracing) > 1:
        yield spec.get("tracing").warn("has several entries, and Istio reads the first", "one")
    for entry in tracing:
        yield from _check_tracing(entry)
    for entry in spec.items("metrics"):
        yield from check_durations(entry, "reportingInterval")
        for override in entry.items("overrides"):
            yield from _check_override(override)


def _check_tracing(tracing: Node) -> Violations:
    if len(tracing.items("providers")) > 1:
        yield tracing.get("providers").warn("are several, and Istio uses the first", "one")
    share = tracing.get("randomSamplingPercentage")
    if not 0 <= share.number <= 100:
        yield share.refuse(f"is {share.number:g}", "0 to 100")
    for name, tag in tracing.entries("customTags"):
        if not name:
            yield tag.refuse("has no name", "a name")
        kinds = tag.which(*(kind for kind, _ in _TAGS))
        if len(kinds) > 1:
            yield tag.refuse(f"has {' and '.join(kinds)}", "one of them")
        for kind, field in _TAGS:
            if tag.has(kind) and not tag.get(kind, field).text:
                yield tag.get(kind, field).refuse("is missing", "a text")


def _check_override(override: Node) -> Violations:
    match = override.get("match")
    if match.has("metric") and match.has("customMetric"):
        yield match.refuse("has both metric and customMetric", "one of them")
    if match.get("customMetric").value == "":
        yield match.get("customMetric").refuse("is empty", "the name of a metric")
    for name, tag in override.entries("tagOverrides"):
        operation = tag.get("operation").text or "UPSERT"
        if not name:
            yield tag.warn("has no name", "the name of a tag")
        if operation == "UPSERT" and not tag.get("value").text:
            yield tag.refuse("has no value, and operation is UPSERT", "value: EXPRESSION")
        if operation == "REMOVE" and tag.get("value").is_set:
            yield tag.get("value").refuse("is set, and operation is REMOVE", "none")
