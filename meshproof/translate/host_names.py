"""How Istio reads the names that rules write down: hosts and gateways. Pure text, no world.

Istio (pilot/pkg/model, ResolveShortnameToFQDN): a host without a dot is a service of the rule's
own namespace; a host with a dot is taken as it stands, so ``svcb.default`` names nothing.
"""

from __future__ import annotations

from meshproof.istio_names import service_host


def fqdn(host: str, namespace: str) -> str:
    """``svcb`` in ``default`` is ``svcb.default.svc.cluster.local``; dotted and ``*`` stay."""
    if "." in host or host.startswith("*"):
        return host
    return service_host(host, namespace)


def is_wildcard(host: str) -> bool:
    return host.startswith("*")


def covers(pattern: str, host: str) -> bool:
    """Whether ``pattern`` (a name, ``*`` or ``*.suffix``) is ``host`` or holds all of it."""
    if not is_wildcard(pattern):
        return pattern == host
    return host.removeprefix("*").endswith(pattern[1:])


def gateway_key(name: str, namespace: str) -> tuple[str, str]:
    """Namespace and name of a Gateway that a rule of ``namespace`` writes as ``name``.

    ``ns/name``, ``./name``, ``name``, and the old ``name.ns.svc.cluster.local``.
    """
    if "/" in name:
        where, _, short = name.partition("/")
        return (namespace if where == "." else where, short)
    if "." in name:
        short, where = name.split(".")[:2]
        return (where, short)
    return (namespace, name)
