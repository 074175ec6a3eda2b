"""The ProxyConfig of each workload, of all that says one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from meshproof.model.embedded_yaml import parse_embedded
from meshproof.model.kube_workloads import WORKLOADS, template_of
from meshproof.model.proxy_config import ProxyConfig, merge_proxy_configs
from meshproof.model.proxy_config_resource import ProxyConfigResource
from meshproof.model.resource import Resource
from meshproof.model.steering_keys import PROXY_CONFIG

_EMPTY = ProxyConfig.empty()


def proxy_configs_of(
    resources: Sequence[Resource], default: ProxyConfig, root: str
) -> dict[tuple[str, str], ProxyConfig]:
    """By namespace and workload, for those that differ from the mesh's ``default``: over that come
    the ProxyConfigs of the root namespace and of its own, then its pods' annotation, then the
    ProxyConfig that selects it; of several the oldest (Istio: EffectiveProxyConfig)."""
    rules = [r for r in resources if isinstance(r.spec, ProxyConfigResource)]
    result = {}
    for workload in resources:
        if workload.kind not in WORKLOADS:
            continue
        metadata = template_of(workload).metadata
        scopes = dict.fromkeys((root, workload.namespace))
        layers = [
            default,
            *(_first(rules, scope, None) for scope in scopes),
            proxy_config_of(workload),
            _first(rules, workload.namespace, metadata.labels),
        ]
        if any(layer != _EMPTY for layer in layers[1:]):
            result[workload.namespace, workload.name] = merge_proxy_configs(layers)
    return result


def proxy_config_of(workload: Resource) -> ProxyConfig:
    """The one in the annotation of a workload's pods."""
    annotations: Mapping[str, str] = template_of(workload).metadata.annotations
    if workload.kind == "Pod":
        annotations = workload.body.get("metadata", {}).get("annotations") or {}
    return _parse(annotations.get(PROXY_CONFIG, ""))


def _first(
    rules: Iterable[Resource], namespace: str, labels: Mapping[str, str] | None
) -> ProxyConfig:
    """Of a namespace: the first for all workloads, or the first that selects these labels."""
    return next(_matching(rules, namespace, labels), _EMPTY)


def _matching(
    rules: Iterable[Resource], namespace: str, labels: Mapping[str, str] | None
) -> Iterator[ProxyConfig]:
    for rule in rules:
        if rule.namespace != namespace:
            continue
        if labels is None and rule.spec.selector is None:
            yield rule.spec.settings
        wanted_labels = rule.spec.matched_labels
        if labels is not None and wanted_labels and wanted_labels.items() <= dict(labels).items():
            yield rule.spec.settings


@lru_cache(maxsize=64)
def _parse(text: str) -> ProxyConfig:
    return parse_embedded(ProxyConfig, text)
