"""Which listeners of a Gateway a route attaches to, or why not (Istio: referenceAllowed and
hostnameAllowedByIsolation in pilot/pkg/config/kube/gateway/conversion.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from meshproof.gateway_api.listeners import Issue, ListenerState
from meshproof.model.http_route_references import GATEWAY, ParentReference
from meshproof.model.resource import Resource
from meshproof.translate.host_names import covers, is_wildcard

Listeners = Mapping[tuple[str, str], Sequence[ListenerState]]
"""By namespace and name of their Gateway."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One ``parentRef`` of a route at one listener; ``index`` is that of the reference."""

    index: int
    ref: ParentReference
    listener: ListenerState
    denied: Issue | None
    others: tuple[str, ...]
    """Hostnames of other listeners of that Gateway, port and protocol."""

    def takes(self, host: str) -> bool:
        """Whether the route serves ``host`` here: a name that another listener has more exactly
        belongs to that one alone."""
        own = self.listener.hostname
        if own and not is_wildcard(own):
            return True
        if own and not _overlap(host, own):
            return False
        return not any(
            len(own) <= len(other) and other and covers(other, host) for other in self.others
        )


def attach(route: Resource, listeners: Listeners) -> Iterator[Attachment]:
    """Every reference to a Gateway at every one of its listeners. One to a Gateway that does not
    exist, or that is of another class, gives nothing."""
    for index, ref in enumerate(route.spec.parent_refs):
        if ref.group_kind != GATEWAY:
            continue
        states = listeners.get((ref.namespace or route.namespace, ref.name), ())
        for state in states:
            others = tuple(
                s.hostname
                for s in states
                if s is not state
                and (s.spec.port, s.spec.protocol) == (state.spec.port, state.spec.protocol)
                and s.hostname != state.hostname
            )
            yield Attachment(index, ref, state, _deny(route, ref, state), others)


def _deny(route: Resource, ref: ParentReference, state: ListenerState) -> Issue | None:
    if ref.port is not None and ref.port != state.spec.port:
        return ("NoMatchingParent", f"port {ref.port} not found")
    if ref.section_name and ref.section_name != state.spec.name:
        return ("NoMatchingParent", f'sectionName "{ref.section_name}" not found')
    if issue := _deny_host(route, state):
        return issue
    if route.kind not in state.kinds:
        kind = f"{route.api_version.replace('/', '/')}, Kind={route.kind}"
        return ("NotAllowedByListeners", f"kind {kind} is not allowed")
    return None


def _deny_host(route: Resource, state: ListenerState) -> Issue | None:
    hostnames = getattr(route.spec, "hostnames", None) or ["*"]
    matched = False
    for text in state.hosts:
        namespace, _, name = text.partition("/")
        if any(_overlap(name, host) for host in hostnames):
            matched = True
            if namespace in ("*", route.namespace):
                return None
    if matched:
        message = (
            f'hostnames matched parent hostname "{state.hostname}", but namespace '
            f'"{route.namespace}" is not allowed by the parent'
        )
        return ("NotAllowedByListeners", message)
    message = f'no hostnames matched parent hostname "{state.hostname}"'
    return ("NoMatchingListenerHostname", message)


def _overlap(one: str, other: str) -> bool:
    return covers(one, other) or covers(other, one)
