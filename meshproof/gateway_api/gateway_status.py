"""Status conditions of the Gateway API's Gateways and their listeners, as Istio writes them
(reportGatewayStatus and buildListener in pilot/pkg/config/kube/gateway/conversion.go)."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.gateway_api.attachments import attach
from meshproof.gateway_api.listeners import ListenerState, listeners_of, states_by_gateway
from meshproof.gateway_api.status import ROUTES
from meshproof.istio_names import service_host
from meshproof.mesh import KubernetesGatewayStatus, ListenerStatus, StatusCondition
from meshproof.model.resource import Resource

_FINE = "No errors found"


def gateway_statuses(resources: Sequence[Resource]) -> list[KubernetesGatewayStatus]:
    """One for each Gateway of Istio's class, in the order of ``resources``."""
    listeners = states_by_gateway(listeners_of(resources))
    attached: dict[tuple[str, str], int] = {}
    for route in resources:
        if route.kind in ROUTES:
            places = {
                (at.listener.key, at.listener.spec.name)
                for at in attach(route, listeners)
                if at.denied is None
            }
            for place in places:
                attached[place] = attached.get(place, 0) + 1
    return [_gateway(states, attached) for states in listeners.values()]


def _gateway(
    states: Sequence[ListenerState], attached: dict[tuple[str, str], int]
) -> KubernetesGatewayStatus:
    gateway = states[0].gateway
    valid = [s for s in states if s.server is not None]
    accepted = StatusCondition("Accepted", True, "Accepted", "Resource accepted")
    if not valid:
        message = "None of the Gateway's listeners are valid"
        accepted = StatusCondition("Accepted", False, "ListenersNotValid", message)
    elif len(valid) < len(states):
        message = "One or more of the Gateway's listeners are invalid"
        accepted = StatusCondition("Accepted", True, "ListenersNotValid", message)
    hosts = [service_host(f"{gateway.name}-istio", gateway.namespace)]
    if named := [a.value for a in gateway.spec.addresses if a.type == "Hostname" and a.value]:
        hosts = [n if "." in n else service_host(n, gateway.namespace) for n in named]
    ports = sorted({state.spec.port for state in valid})
    services = " and ".join(f"{host}:{port}" for host in hosts for port in ports)
    message = f"Resource programmed, assigned to service(s) {services}"
    programmed = StatusCondition("Programmed", True, "Programmed", message)
    if not valid:
        message = "Failed to assign to any requested addresses: no listener is valid"
        programmed = StatusCondition("Programmed", False, "Invalid", message)
    resolved = StatusCondition("ResolvedRefs", True, "ResolvedRefs", "All references resolved")
    return KubernetesGatewayStatus(
        namespace=gateway.namespace,
        name=gateway.name,
        conditions=(accepted, programmed, resolved),
        listeners=tuple(_listener(s, attached.get((s.key, s.spec.name), 0)) for s in states),
    )


def _listener(state: ListenerState, attached: int) -> ListenerStatus:
    conditions = []
    for kind, reason in (
        ("Accepted", "Accepted"),
        ("Conflicted", "NoConflicts"),
        ("Programmed", "Programmed"),
        ("ResolvedRefs", "ResolvedRefs"),
    ):
        if kind in state.issues:
            conditions.append(StatusCondition(kind, False, *state.issues[kind]))
        else:
            conditions.append(StatusCondition(kind, kind != "Conflicted", reason, _FINE))
    return ListenerStatus(state.spec.name, attached, state.kinds, tuple(conditions))
