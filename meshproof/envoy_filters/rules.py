"""The patches of one proxy, with their values parsed, and which of them have found a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from meshproof.envoy_filters.messages import parse
from meshproof.istio_names import ISTIO_VERSION
from meshproof.model.envoy_filter import ConfigPatch, EnvoyFilter, ProxyMatch
from meshproof.translate.workload_selection import select_policies
from meshproof.translate.world import Named, Proxy, World, mesh_of

_META = "ISTIO_META_"
PatchKey = tuple[str, str, int]
"""Namespace and name of an EnvoyFilter, and the number of a patch."""


@dataclass(frozen=True)
class Rule:
    """One patch; ``value`` is its message, None for REMOVE."""

    key: PatchKey
    patch: ConfigPatch
    value: Any


@dataclass
class Rules:
    """Of one proxy, in Istio's order: by priority, the root namespace's before its own."""

    rules: tuple[Rule, ...]
    node: Mapping[str, str]
    """The proxy's metadata."""
    matched: set[PatchKey] = field(default_factory=set)
    """Those that have changed something."""
    unconfigured: set[str] = field(default_factory=set)
    """Filters whose configuration is missing (``extensions``)."""

    def of(self, apply_to: str, context: str) -> Iterator[Rule]:
        for rule in self.rules:
            match = rule.patch.match
            here = rule.patch.apply_to == apply_to and match.context in ("ANY", context)
            here = here and rule.patch.is_applied
            if here and (match.proxy is None or _is_meant(match.proxy, self.node)):
                yield rule

    def additions(self, apply_to: str, context: str) -> Iterator[Any]:
        """New messages that patches add to a proxy. Without a context they are for outgoing calls
        and gateways."""
        for rule in self.of(apply_to, context):
            anywhere = rule.patch.match.context == "ANY"
            if rule.patch.operation == "ADD" and not (anywhere and context == "SIDECAR_INBOUND"):
                self.mark(rule)
                yield type(rule.value).FromString(rule.value.SerializeToString())

    def extensions(self) -> Iterator[Rule]:
        """Those that configure an extension; a context counts for nothing here, as in Istio."""
        for rule in self.rules:
            if rule.patch.apply_to == "EXTENSION_CONFIG" and rule.patch.is_applied:
                yield rule

    def mark(self, rule: Rule, *, applied: bool = True) -> None:
        if applied:
            self.matched.add(rule.key)


def select_filters(world: World, proxy: Proxy) -> list[Named[EnvoyFilter]]:
    """The EnvoyFilters that apply to a proxy (Istio: PushContext.getMatchedEnvoyFilters)."""
    if proxy.kind == "relay":
        return []
    chosen = select_policies(world.envoy_filters, proxy.namespace, proxy.labels)
    return sorted(chosen, key=lambda f: (f.spec.priority, f.namespace == proxy.namespace))


def collect_rules(world: World, proxy: Proxy) -> Rules:
    """Those of a proxy. Raises ValueError for a value that is not Envoy's; admission has seen to
    that."""
    filters = select_filters(world, proxy)
    return Rules(
        tuple(
            Rule((f.namespace, f.name, index), patch, _value(patch))
            for f in filters
            for index, patch in enumerate(f.spec.config_patches)
        ),
        _node_metadata(world, proxy),
    )


def _node_metadata(world: World, proxy: Proxy) -> dict[str, str]:
    """What Istio's agent says of its proxy, as far as it is text; variables that begin with
    ISTIO_META_ among it."""
    variables = mesh_of(world, proxy).default_config.proxy_metadata
    return {
        **{k.removeprefix(_META): v for k, v in variables.items() if k.startswith(_META)},
        "ISTIO_VERSION": ISTIO_VERSION,
        "CLUSTER_ID": "Kubernetes",
        "NAMESPACE": proxy.namespace,
        "WORKLOAD_NAME": proxy.workload,
        "SERVICE_ACCOUNT": proxy.service_account,
    }


def _is_meant(match: ProxyMatch, node: Mapping[str, str]) -> bool:
    """Istio: proxyMatch in pilot/pkg/model/envoyfilter.go."""
    if match.proxy_version:
        import re2  # noqa: PLC0415  # few filters name a version

        if not re2.search(match.proxy_version, node["ISTIO_VERSION"]):
            return False
    return all(node.get(key) == value for key, value in match.metadata.items())


def _value(patch: ConfigPatch) -> Any:
    value = patch.patch.value
    return None if value is None else parse(patch.apply_to, value)
