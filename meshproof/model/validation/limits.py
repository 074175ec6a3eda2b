"""The sizes that the CRDs bound: entries of lists and mappings, characters of texts.

A path names a field below ``spec``: ``[]`` is every entry of a list, ``{}`` every value of a
mapping. Source: istio/api, ``kubernetes/customresourcedefinitions.gen.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshproof.model.validation.node import Node, Violations

Limits = Mapping[str, tuple[int, int]]

_SELECTOR: Limits = {"selector.matchLabels": (0, 4096), "selector.matchLabels{}": (0, 63)}
_NETWORKING_SELECTOR: Limits = {
    "workloadSelector.labels": (0, 256),
    "workloadSelector.labels{}": (0, 63),
}


def _targets(*names: str) -> Limits:
    return {
        key: limit
        for name in names
        for key, limit in (
            (f"{name}.group", (0, 253)),
            (f"{name}.kind", (1, 63)),
            (f"{name}.name", (1, 253)),
        )
    }


_POLICY: Limits = {**_SELECTOR, **_targets("targetRef", "targetRefs[]"), "targetRefs": (0, 16)}


def _certificates(tls: str) -> Limits:
    return {f"{tls}.credentialNames": (1, 2), f"{tls}.tlsCertificates": (1, 2)}


def _workload(prefix: str) -> Limits:
    return {
        f"{prefix}address": (0, 256),
        f"{prefix}labels": (0, 256),
        f"{prefix}ports": (0, 128),
        f"{prefix}locality": (0, 2048),
        f"{prefix}network": (0, 2048),
        f"{prefix}serviceAccount": (0, 253),
    }


KIND_LIMITS: Mapping[str, Limits] = {
    "AuthorizationPolicy": {
        **_POLICY,
        "rules": (0, 512),
        "rules[].from": (0, 512),
    },
    "PeerAuthentication": _SELECTOR,
    "ProxyConfig": {**_SELECTOR, "environmentVariables{}": (0, 2048)},
    "RequestAuthentication": {
        **_POLICY,
        "jwtRules": (0, 4096),
        "jwtRules[].jwksUri": (1, 2048),
        "jwtRules[].spaceDelimitedClaims": (0, 64),
    },
    "Telemetry": _POLICY,
    "WasmPlugin": {**_POLICY, "vmConfig.env": (0, 256), "vmConfig.env[].value": (0, 2048)},
    "EnvoyFilter": {
        **_NETWORKING_SELECTOR,
        **_targets("targetRefs[]"),
        "targetRefs": (0, 16),
    },
    "DestinationRule": {
        "trafficPolicy.portLevelSettings": (0, 4096),
        "subsets[].trafficPolicy.portLevelSettings": (0, 4096),
        "workloadSelector.matchLabels": (0, 4096),
        "workloadSelector.matchLabels{}": (0, 63),
    },
    "Gateway": _certificates("servers[].tls"),
    "Sidecar": {**_NETWORKING_SELECTOR, **_certificates("ingress[].tls")},
    "ServiceEntry": {
        **_NETWORKING_SELECTOR,
        **_workload("endpoints[]."),
        "hosts": (1, 256),
        "addresses": (0, 256),
        "addresses[]": (0, 64),
        "ports": (0, 256),
        "ports[].name": (0, 256),
        "ports[].protocol": (0, 256),
        "endpoints": (0, 4096),
    },
    "WorkloadEntry": _workload(""),
    "WorkloadGroup": {
        **_workload("template."),
        "metadata.labels": (0, 256),
        "metadata.annotations": (0, 256),
    },
}


def check_limits(spec: Node, kind: str) -> Violations:
    for path, (least, most) in KIND_LIMITS.get(kind, {}).items():
        for node in _select(spec, path.replace("[]", ".[]").replace("{}", ".{}").split(".")):
            if not isinstance(node.value, str | list | dict):
                continue
            size = len(node.value)
            if not least <= size <= most:
                unit = "characters" if isinstance(node.value, str) else "entries"
                yield node.refuse(f"has {size} {unit}", f"{least} to {most}")


def _select(node: Node, steps: list[str]) -> Iterator[Node]:
    if not steps:
        yield node
        return
    first, rest = steps[0], steps[1:]
    if first == "[]":
        children = node.items()
    elif first == "{}":
        children = [value for _, value in node.entries()]
    else:
        children = [node.get(first)]
    for child in children:
        yield from _select(child, rest)
