"""Access logs of Telemetry resources: to which providers, and which requests.

Istio: mergeLogs in pilot/pkg/model/telemetry.go. A filter counts for the providers that its entry
names, and so is ignored where it names none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meshproof.model.telemetry import AccessLogging
from meshproof.translate.telemetry_metrics import Side

ENVOY = "envoy"
"""Istio's own provider: the sidecar's standard output."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Of one provider; ``expression`` is a CEL filter, or empty."""

    disabled: bool = False
    expression: str = ""


def merge_logs(
    scopes: Sequence[Sequence[AccessLogging]], defaults: Iterable[str], side: Side
) -> Mapping[str, LogSettings]:
    """The settings by provider; ``scopes`` are the entries of each resource, outer ones first."""
    providers = list(defaults)
    expressions: dict[str, str] = {}
    for entries in scopes:
        names: list[str] = []
        for entry in entries:
            if _is_for(entry, side):
                names += (p.name for p in entry.providers)
                expression = entry.filter.expression if entry.filter else ""
                expressions.update((p.name, expression) for p in entry.providers)
        providers = names or providers
    if not scopes:
        return {name: LogSettings() for name in providers}
    return _settings(scopes, set(providers), list(defaults), expressions, side)


def _settings(
    scopes: Sequence[Sequence[AccessLogging]],
    in_force: set[str],
    inherited: list[str],
    expressions: Mapping[str, str],
    side: Side,
) -> Mapping[str, LogSettings]:
    settings: dict[str, LogSettings] = {}
    for entry in (entry for entries in scopes for entry in entries):
        inherited = [p.name for p in entry.providers] or inherited
        if _is_for(entry, side):
            for name in inherited:
                if name in in_force:
                    expression = "" if entry.disabled else expressions.get(name, "")
                    settings[name] = LogSettings(bool(entry.disabled), expression)
    return settings


def _is_for(entry: AccessLogging, side: Side) -> bool:
    return entry.match.mode in (side, "CLIENT_AND_SERVER")
