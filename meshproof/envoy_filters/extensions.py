"""Filters that name their configuration: that of an EXTENSION_CONFIG patch of the same name.

Istio sends such configuration apart (ECDS; core/envoyfilter/extension_configuration_patch.go). Here
it is put where it is named, so that a listener is live with all of it. A filter that nobody
configures does what Envoy does where none arrives: it answers requests with 500, and closes
connections (source/common/filter/config_discovery_impl.h).
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.envoy_filters.messages import CONNECTION_MANAGER, to_json
from meshproof.envoy_filters.rules import Rules
from meshproof.translate.proto import Json, build_any

_HTTP_FAULT = "envoy.extensions.filters.http.fault.v3.HTTPFault"
_RBAC = "envoy.extensions.filters.network.rbac.v3.RBAC"


def configure_extensions(listener: Json, rules: Rules) -> None:
    """Give the filters of a listener, in JSON form, the configuration that they name."""
    for entry, is_http in _filters(listener):
        discovery = entry.get("config_discovery")
        if discovery is None or "ads" not in discovery.get("config_source", {}):
            continue
        del entry["config_discovery"]
        config = _config(entry["name"], rules) or discovery.get("default_config")
        if config is None:
            rules.unconfigured.add(entry["name"])
            config = _failing() if is_http else _closing(entry["name"])
        entry["typed_config"] = config


def _config(name: str, rules: Rules) -> Json | None:
    for rule in rules.extensions():
        if rule.value.name == name:
            rules.mark(rule)
            config: Json = to_json(rule.value)["typed_config"]
            return config
    return None


def _failing() -> Json:
    percentage = {"numerator": 100, "denominator": "HUNDRED"}
    return build_any(_HTTP_FAULT, abort={"http_status": 500, "percentage": percentage})


def _closing(name: str) -> Json:
    """Rules that allow nobody."""
    return build_any(_RBAC, stat_prefix=name, rules={"action": "ALLOW"})


def _filters(listener: Json) -> Iterator[tuple[Json, bool]]:
    """Every network filter of a listener, and every HTTP filter (True)."""
    chains = [*listener.get("filter_chains", ()), listener.get("default_filter_chain", {})]
    for chain in chains:
        for entry in chain.get("filters", ()):
            yield entry, False
            if entry["name"] == CONNECTION_MANAGER:
                yield from ((f, True) for f in entry["typed_config"].get("http_filters", ()))
