"""Gateway servers without their certificates."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.gateway import ServerTLSSettings
from meshproof.model.resource import Resource
from meshproof.translate.gateway_workloads import gateway_workloads
from meshproof.translate.workload_selection import has_labels

_PAIRS = (("tls.crt", "tls.key"), ("cert", "key"))
_AUTHORITIES = ("ca.crt", "cacert")
_Keys = dict[tuple[str, str], Collection[str]]


def find_missing_certificates(context: LintContext) -> Iterator[Problem]:
    """Servers whose Secret is not in the namespace of their gateway: nothing listens for them."""
    keys: _Keys = {(s.namespace, s.name): s.spec.texts for s in context.of("Secret")}
    workloads = gateway_workloads(context.resources)
    for gateway in context.of("Gateway"):
        selector = gateway.spec.selector
        namespaces = {w.namespace for w in workloads if has_labels(w.labels, selector)}
        for index, server in enumerate(gateway.spec.servers):
            if server.terminated is not None:
                for namespace in sorted(namespaces):
                    yield from _find_missing(gateway, index, server.terminated, namespace, keys)


def _find_missing(
    gateway: Resource, index: int, tls: ServerTLSSettings, namespace: str, keys: _Keys
) -> Iterator[Problem]:
    mutual = tls.mode == "MUTUAL"
    field = "credentialName" if tls.credential_name else "credentialNames"
    for name in tls.credentials:
        if "/" in name:
            continue
        own = keys.get((namespace, name), ())
        if not any(pair[0] in own and pair[1] in own for pair in _PAIRS):
            lacks = "tls.crt and tls.key"
        elif mutual and not _has_authorities(tls, namespace, name, keys):
            lacks = f"ca.crt, and no {namespace}/{name}-cacert"
        else:
            continue
        yield gateway.problem(
            ("spec", "servers", index, "tls", field),
            f"there is no Secret {namespace}/{name} with {lacks}; the server is not served",
            remedy=f"put it into the gateway's namespace, {namespace}",
        )


def _has_authorities(tls: ServerTLSSettings, namespace: str, name: str, keys: _Keys) -> bool:
    if tls.ca_cert_credential_name or tls.ca_certificates:
        return True
    own = (*keys.get((namespace, name), ()), *keys.get((namespace, f"{name}-cacert"), ()))
    return any(key in own for key in _AUTHORITIES)
