"""Host and gateway names in rules, as Istio resolves them. Pure text.

Istio (pilot/pkg/model, ResolveShortnameToFQDN): a host without a dot is a service of the rule's
own namespace. A host with a dot is used as written, so ``svcb.default`` names nothing.
"""

from __future__ import annotations

from meshproof.istio_names import CLUSTER_DOMAIN, service_host


def fqdn(host: str, namespace: str) -> str:
    """``svcb`` in ``default`` is ``svcb.default.svc.cluster.local``; dotted and ``*`` stay."""
    if "." in host or host.startswith("*"):
        return host
    return service_host(host, namespace)


def is_wildcard(host: str) -> bool:
    return host.startswith("*")


def covers(pattern: str, host: str) -> bool:
    """Whether ``pattern`` (a name, ``*`` or ``*.suffix``) matches all that ``host`` matches."""
    if not is_wildcard(pattern):
        return pattern == host
    return host.removeprefix("*").endswith(pattern[1:])


def gateway_key(name: str, namespace: str) -> tuple[str, str]:
    """Namespace and name of the Gateway that a rule in ``namespace`` calls ``name``.

    ``ns/name``, ``./name``, ``name``, and the old ``name.ns.svc.cluster.local``.
    """
    if "/" in name:
        scope, _, short = name.partition("/")
        return (namespace if scope == "." else scope, short)
    if "." in name:
        short, own_namespace = name.split(".")[:2]
        return (own_namespace, short)
    return (namespace, name)


def short_names(host: str, namespace: str) -> tuple[str, ...]:
    """The shorter names of a Service's full name in ``namespace``, the shortest first.

    ``svcb`` (in its own namespace only), ``svcb.ns.svc``, ``svcb.ns``; none for other hosts. The
    name of a StatefulSet's pod has a dot of its own: ``db-0.db``.
    """
    service = host.removesuffix(f".{CLUSTER_DOMAIN}")
    if service == host or "." not in service or is_wildcard(host):
        return ()
    name, _, own_namespace = service.rpartition(".")
    shortest = (name,) if own_namespace == namespace else ()
    return (*shortest, f"{name}.{own_namespace}.svc", f"{name}.{own_namespace}")
