"""Converts BackendTLSPolicies to DestinationRules: TLS to a Service or a ServiceEntry (Istio:
pilot/pkg/config/kube/gateway/backend_policies.go).

Authorities of a ConfigMap are a credential, which gateways alone use; with the system's own, every
sidecar originates TLS too. Of two policies for one port the older one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshproof.istio_names import service_host
from meshproof.model.destination_rule import DestinationRule, PortTrafficPolicy, TrafficPolicy
from meshproof.model.destination_rule_tls import ClientTLSSettings
from meshproof.model.field_types import PortSelector
from meshproof.model.gateway_api import BackendTLSPolicySpec, PolicyTarget
from meshproof.model.resource import Resource
from meshproof.translate.world import Named, Service

_ENTRY = ("networking.istio.io", "ServiceEntry")


def convert_backend_policies(
    resources: Sequence[Resource], services: Iterable[Service]
) -> tuple[Named[DestinationRule], ...]:
    """One DestinationRule for each host that a policy is for."""
    ports = {s.fqdn: {p.name: p.port for p in s.ports} for s in services}
    entries = {(r.namespace, r.name): r.spec for r in resources if r.kind == "ServiceEntry"}
    whole: dict[tuple[str, str], ClientTLSSettings] = {}
    by_port: dict[tuple[str, str], dict[int, ClientTLSSettings]] = {}
    for policy in resources:
        if not isinstance(policy.spec, BackendTLSPolicySpec):
            continue
        settings = _settings(policy)
        for target in policy.spec.target_refs:
            if (target.group, target.kind) == _ENTRY:
                entry = entries.get((policy.namespace, target.name))
                named = {p.name: p.number for p in entry.ports} if entry else {}
                hosts = dict.fromkeys(entry.hosts if entry else (), named)
            else:
                host = service_host(target.name, policy.namespace)
                hosts = {host: ports.get(host, {})} if _is_service(target) else {}
            for host, numbers in hosts.items():
                key = (policy.namespace, host)
                if target.section_name is None:
                    whole.setdefault(key, settings)
                elif (number := numbers.get(target.section_name)) is not None:
                    by_port.setdefault(key, {}).setdefault(number, settings)
    keys = dict.fromkeys((*whole, *by_port))
    return tuple(_rule(*key, whole.get(key), by_port.get(key, {})) for key in keys)


def _is_service(target: PolicyTarget) -> bool:
    return (target.group, target.kind) == ("", "Service")


def _rule(
    namespace: str,
    host: str,
    settings: ClientTLSSettings | None,
    by_port: dict[int, ClientTLSSettings],
) -> Named[DestinationRule]:
    levels = [
        PortTrafficPolicy.model_construct(port=PortSelector(number=number), tls=own)
        for number, own in sorted(by_port.items())
    ]
    policy = TrafficPolicy.model_construct(tls=settings, port_level_settings=levels)
    spec = DestinationRule.model_construct(host=host, traffic_policy=policy)
    return Named(f"{host}~backend-tls-policy", namespace, spec)


def _settings(policy: Resource) -> ClientTLSSettings:
    validation = policy.spec.validation
    names = [n.hostname or n.uri for n in validation.subject_alt_names] or [validation.hostname]
    credential = None
    if validation.ca_certificate_refs:
        ref = validation.ca_certificate_refs[0]
        scheme = "configmap" if ref.kind == "ConfigMap" else "kubernetes"
        credential = f"{scheme}://{policy.namespace}/{ref.name}"
    return ClientTLSSettings.model_construct(
        mode="SIMPLE",
        sni=validation.hostname,
        subject_alt_names=names,
        credential_name=credential,
    )
