"""EnvoyFilters, where the configuration of this mesh's Envoys is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.envoy_filters.apply import apply_filters
from meshproof.envoy_filters.rules import PatchKey, Rules, collect_rules, select_filters
from meshproof.errors import Problem
from meshproof.model.resource import Resource
from meshproof.translate.envoy_config import build_gateway, build_outbound, build_sidecar, proxy_of
from meshproof.translate.world import Config, Proxy, World


def key_of(world: World, proxy: Proxy) -> tuple[tuple[str, str, str], ...]:
    """What of the EnvoyFilters the configuration of a proxy depends on."""
    filters = select_filters(world, proxy) if world.envoy_filters else []
    return tuple((f.namespace, f.name, repr(f.spec)) for f in filters)


def outbound(world: World, proxy: Proxy, config: Config) -> Config:
    """What replicas share, with the patches of a proxy."""
    return _apply(world, proxy, config, outbound=True)


def own(world: World, proxy: Proxy, config: Config) -> Config:
    """What a proxy has of its own, with its patches."""
    return _apply(world, proxy, config, outbound=False)


def _apply(world: World, proxy: Proxy, config: Config, *, outbound: bool) -> Config:
    if not world.envoy_filters:
        return config
    rules = collect_rules(world, proxy)
    return apply_filters(config, rules, world, proxy, outbound=outbound)


def find_unmatched(
    world: World, gateways: Iterable[Proxy], resources: Iterable[Resource]
) -> Iterator[Problem]:
    """A warning for each patch that changes no Envoy of the mesh."""
    filters = [r for r in resources if r.kind == "EnvoyFilter"]
    if not filters:
        return
    matched, unconfigured = _matched(world, gateways)
    for resource in filters:
        for index, patch in enumerate(resource.spec.config_patches):
            at = ("spec", "configPatches", index)
            name = (patch.patch.value or {}).get("name")
            if not patch.is_applied:
                continue  # lint says so
            if (resource.namespace, resource.name, index) not in matched:
                yield resource.problem(
                    (*at, "match"),
                    f"matches no {patch.apply_to} of any Envoy, so this does nothing",
                    remedy="compare with `meshproof dump`",
                )
            elif name in unconfigured:
                yield resource.problem(
                    (*at, "patch", "value"),
                    f"no EXTENSION_CONFIG is named {name}, so this filter lets nothing pass",
                    remedy="add one, or a default_config",
                )


def _matched(world: World, gateways: Iterable[Proxy]) -> tuple[set[PatchKey], set[str]]:
    """The patches that change something, of one replica of each workload and of gateways; and the
    filters whose configuration is missing."""
    matched: set[PatchKey] = set()
    unconfigured: set[str] = set()
    replicas = {(r.namespace, r.workload): r for r in world.replicas}
    for replica in replicas.values():
        proxy = proxy_of(replica)
        rules = collect_rules(world, proxy)
        _match(world, proxy, rules, build_outbound(world, proxy), build_sidecar(world, replica))
        matched |= rules.matched
        unconfigured |= rules.unconfigured
    for proxy in gateways:
        rules = collect_rules(world, proxy)
        own_part = build_gateway(world, proxy, "127.0.0.1", {})
        _match(world, proxy, rules, build_outbound(world, proxy), own_part)
        matched |= rules.matched
        unconfigured |= rules.unconfigured
    return matched, unconfigured


def _match(world: World, proxy: Proxy, rules: Rules, shared: Config, own_part: Config) -> None:
    apply_filters(shared, rules, world, proxy, outbound=True)
    apply_filters(own_part, rules, world, proxy, outbound=False)
