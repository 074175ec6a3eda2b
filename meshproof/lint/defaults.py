"""Fields that Istio has replaced, and settings that mean less than they seem to by default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

if TYPE_CHECKING:
    from meshproof.model.destination_rule_tls import ClientTLSSettings


def find_replaced_fields(context: LintContext) -> Iterator[Problem]:
    """``fault.delay.percent`` (IST0002)."""
    for rule in context.of("VirtualService"):
        for index, route in enumerate(rule.spec.http):
            delay = route.fault.delay if route.fault else None
            if delay is not None and delay.percent:
                path = ("spec", "http", index, "fault", "delay", "percent")
                yield rule.problem(path, "is deprecated", "percentage: {value: NUMBER}")


def find_default_authorities(context: LintContext) -> Iterator[Problem]:
    """TLS to a host whose certificate may be any public authority's (IST0128, IST0129)."""
    for rule in context.of("DestinationRule"):
        policy = rule.spec.traffic_policy
        if policy is None:
            continue
        yield from _check_tls(rule, policy.tls, ("spec", "trafficPolicy", "tls"))
        for index, port in enumerate(policy.port_level_settings):
            at: FieldPath = ("spec", "trafficPolicy", "portLevelSettings", index, "tls")
            yield from _check_tls(rule, port.tls, at)


def _check_tls(
    rule: Resource, settings: ClientTLSSettings | None, path: FieldPath
) -> Iterator[Problem]:
    if settings is None or settings.mode not in ("SIMPLE", "MUTUAL"):
        return
    if not settings.ca_certificates and not settings.credential_name:
        yield rule.problem(
            path,
            "names no caCertificates: any public authority may vouch for the server",
            "caCertificates, where it should be one of your own",
        )


def find_logs_without_provider(context: LintContext) -> Iterator[Problem]:
    """A Telemetry whose access log has no provider, which Istio ignores unless MeshConfig has a
    default one (IST0157)."""
    if context.mesh.default_providers.access_logging:
        return
    for telemetry in context.of("Telemetry"):
        for index, entry in enumerate(telemetry.spec.access_logging):
            if not entry.providers and not entry.disabled:
                yield telemetry.problem(
                    ("spec", "accessLogging", index),
                    "names no provider, and neither does MeshConfig: on a cluster Istio ignores it",
                    "providers: [{name: envoy}]",
                )
