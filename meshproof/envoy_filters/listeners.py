"""Patches of listeners, their filter chains and filters (core/envoyfilter/listener_patch.go).

Istio's ``virtualInbound`` is one listener with chains for each port; ours are a listener a declared
port, which count as that one, and one of that name for all other ports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from meshproof.envoy_filters.messages import CONNECTION_MANAGER, merge, merge_any, unpack
from meshproof.envoy_filters.positions import Fits, rearrange
from meshproof.envoy_filters.rules import Rule, Rules
from meshproof.model.envoy_filter import Chain, ListenerMatch

_VIRTUAL = ("virtualInbound", "virtualOutbound")


@dataclass(frozen=True)
class Place:
    """A listener as Istio would have it."""

    context: str
    name: str
    port: int
    """Of an inbound listener the app's, which Istio has in the chains' matches; 0 for the one
    whose chains have it."""


def patch_listener(listener: Any, place: Place, rules: Rules) -> bool:
    """Change a listener; False if it is removed."""
    for rule in rules.of("LISTENER", place.context):
        if rule.patch.operation == "ADD" or not _is_listener(rule, place, itself=True):
            continue
        rules.mark(rule)
        if rule.patch.operation == "REMOVE":
            return False
        merge(listener, rule.value)
    for rule in rules.of("LISTENER_FILTER", place.context):
        if _is_listener(rule, place):
            _patch_filter(listener.listener_filters, rule, rules, _listener_filter(rule))
    kept = [
        type(chain).FromString(chain.SerializeToString())
        for chain in listener.filter_chains
        if _patch_chain(chain, place, rules)
    ]
    del listener.filter_chains[:]
    listener.filter_chains.extend(kept)
    default = listener.default_filter_chain if listener.HasField("default_filter_chain") else None
    if default is not None and not _patch_chain(default, place, rules):
        listener.ClearField("default_filter_chain")
    for rule in rules.of("FILTER_CHAIN", place.context):
        if rule.patch.operation == "ADD" and _is_listener(rule, place):
            rules.mark(rule)
            listener.filter_chains.add().CopyFrom(rule.value)
    return bool(listener.filter_chains) or listener.HasField("default_filter_chain")


def added_listeners(context: str, rules: Rules, ip: str) -> list[Any]:
    """Listeners that patches add. They listen at ``ip``, if there is one: who shares this machine's
    network opens no port of its own."""
    result = list(rules.additions("LISTENER", context))
    for listener in result:
        places = [listener.address, *(more.address for more in listener.additional_addresses)]
        for place in places:
            if ip and place.HasField("socket_address"):
                place.socket_address.address = ip
    return result


def _patch_chain(chain: Any, place: Place, rules: Rules) -> bool:
    """False if the chain is removed."""
    for rule in rules.of("FILTER_CHAIN", place.context):
        if rule.patch.operation == "ADD" or not _is_chain(rule, chain, place):
            continue
        rules.mark(rule)
        if rule.patch.operation == "REMOVE":
            return False
        merge(chain, rule.value)
    for rule in rules.of("NETWORK_FILTER", place.context):
        if _is_chain(rule, chain, place):
            _patch_filter(chain.filters, rule, rules, _network_filter(rule))
    for entry in chain.filters:
        if entry.name == CONNECTION_MANAGER:
            _patch_http_filters(entry, chain, place, rules)
    return True


def _patch_http_filters(entry: Any, chain: Any, place: Place, rules: Rules) -> None:
    chosen = [r for r in rules.of("HTTP_FILTER", place.context) if _is_chain(r, chain, place)]
    chosen = [r for r in chosen if (fits := _network_filter(r)) is None or fits(entry)]
    if not chosen:
        return
    manager = unpack(entry.typed_config)
    for http_filter in manager.http_filters:
        http_filter.disabled = False  # as in Istio, where a patch may configure it or reroute
    for rule in chosen:
        _patch_filter(manager.http_filters, rule, rules, _http_filter(rule))
    entry.typed_config.Pack(manager)


def _patch_filter(rows: Any, rule: Rule, rules: Rules, fits: Fits | None) -> None:
    if rule.patch.operation != "MERGE":
        rules.mark(rule, applied=rearrange(rows, rule.patch, rule.value, fits))
        return
    for entry in rows:
        if (fits is None or fits(entry)) and entry.HasField("typed_config"):
            rules.mark(rule)
            entry.name = rule.value.name or entry.name
            if rule.value.HasField("typed_config"):
                merge_any(entry.typed_config, rule.value.typed_config)


# -- matches ------------------------------------------------------------------------------------


def _match(rule: Rule) -> ListenerMatch:
    return rule.patch.match.listener or ListenerMatch()


def _is_listener(rule: Rule, place: Place, *, itself: bool = False) -> bool:
    """listenerMatch; of a virtual listener the port is that of its chains."""
    match = _match(rule)
    if match.name and match.name != place.name:
        return False
    if place.name in _VIRTUAL and not itself:
        return True
    return match.port_number in (0, place.port)


def _is_chain(rule: Rule, chain: Any, place: Place) -> bool:
    if not _is_listener(rule, place):
        return False
    listener, match = _match(rule), _match(rule).filter_chain or Chain()
    own = chain.filter_chain_match
    inbound = place.name == "virtualInbound"
    port = place.port if inbound and place.port else own.destination_port.value
    name = f"0.0.0.0_{place.port}" if inbound else chain.name
    if place.name in _VIRTUAL and listener.port_number not in (0, port):
        return False
    protocols = match.application_protocols.split(",") if match.application_protocols else []
    return (
        match.name in ("", name, chain.name)
        and (not match.sni or match.sni in own.server_names)
        and match.transport_protocol in ("", own.transport_protocol)
        and all(p in own.application_protocols for p in protocols)
        and match.destination_port in (0, port)
    )


def _listener_filter(rule: Rule) -> Fits | None:
    name = _match(rule).listener_filter
    return (lambda entry: bool(entry.name == name)) if name else None


def _network_filter(rule: Rule) -> Fits | None:
    chain = _match(rule).filter_chain
    if chain is None or chain.filter is None:
        return None
    name = chain.filter.name
    return lambda entry: bool(entry.name == name)


def _http_filter(rule: Rule) -> Fits | None:
    chain = _match(rule).filter_chain
    if chain is None or chain.filter is None or chain.filter.sub_filter is None:
        return None
    name = chain.filter.sub_filter.name
    return lambda entry: bool(entry.name == name)
