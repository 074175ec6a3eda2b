"""Policies of security.istio.io, and what other kinds share with them: selectors and targets."""

from __future__ import annotations

from urllib.parse import urlsplit

from meshproof.model.string_types import short
from meshproof.model.validation.authorization import check_rules
from meshproof.model.validation.headers import STRICT_NAME
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.values import (
    PORT_RANGE,
    check_durations,
    check_port,
    check_selector,
)

_SELECTORS = ("selector", "targetRef", "targetRefs")
_TARGETS = (
    ("", "Service"),
    ("core", "Service"),
    ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
)
_DRY_RUN = "istio.io/dry-run"
_BOOLEANS = frozenset(
    ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
)
_IDENTITIES = ("namespaces", "serviceAccounts", "principals", "requestPrincipals")
_NOT_ASKED = (*_IDENTITIES, *(f"not{name[0].upper()}{name[1:]}" for name in _IDENTITIES))


def check_target(spec: Node) -> Violations:
    """The workloads or the target that a policy, a Telemetry or a WasmPlugin is for
    (``validateOneOfSelectorType``, ``validateWorkloadSelector``,
    ``validatePolicyTargetReference``)."""
    chosen = [name for name in _SELECTORS if spec.get(name).value not in (None, [])]
    if len(chosen) > 1:
        yield spec.get(chosen[1]).refuse(f"is set beside {chosen[0]}", "one of them")
    labels = spec.get("selector", "matchLabels")
    yield from check_selector(labels)
    if spec.has("selector") and not labels.entries():
        yield spec.get("selector").warn("selects every workload", "matchLabels, or no selector")
    references = [spec.get("targetRef")] if spec.has("targetRef") else []
    for reference in (*references, *spec.items("targetRefs")):
        yield from _check_reference(reference)


def _check_reference(reference: Node) -> Violations:
    if not reference.get("name").text:
        yield reference.get("name").refuse("is missing", "a name")
    if reference.get("namespace").text:
        yield reference.get("namespace").refuse("is set", "none: targets are in the own namespace")
    group, kind = reference.get("group").text, reference.get("kind").text
    if (group, kind) not in _TARGETS:
        expected = ", ".join(f"{k} of {g}" for g, k in _TARGETS if g)
        yield reference.get("kind").refuse(f'is "{kind}" of "{group}"', expected)


def check_authorization_policy(document: Node) -> Violations:
    """``ValidateAuthorizationPolicy``."""
    spec = document.get("spec")
    action = spec.get("action").text or "ALLOW"
    yield from check_target(spec)
    yield from _check_dry_run(document, action)
    provider = spec.get("provider")
    rules = spec.items("rules")
    if action in ("CUSTOM", "DENY") and not rules:
        yield spec.get("action").refuse(
            f"is {action} without rules, which never acts",
            "rules",
            "write rules: [{}] for every request",
        )
    if action == "CUSTOM":
        if rules and not provider.get("name").text:
            yield spec.get("action").refuse(
                "is CUSTOM without provider.name", "one of MeshConfig's extensionProviders"
            )
        for rule in rules:
            yield from _check_custom(rule)
    elif provider.is_set:
        yield provider.refuse(f"is set, and the action is {action}", "action: CUSTOM")
    yield from check_rules(spec, action)


def _check_dry_run(document: Node, action: str) -> Violations:
    """``checkDryRunAnnotation``."""
    dry_run = document.get("metadata", "annotations", _DRY_RUN)
    if not dry_run.is_set:
        return
    if action not in ("ALLOW", "DENY"):
        yield dry_run.refuse(f"is set, and the action is {action}", "ALLOW or DENY")
    elif dry_run.text not in _BOOLEANS:
        yield dry_run.refuse(f'"{short(dry_run.text)}" is no truth value', "true or false")


def _check_custom(rule: Node) -> Violations:
    """What an external server is asked does not know who the caller is."""
    for source in rule.items("from"):
        for name in _NOT_ASKED:
            if source.get("source").items(name):
                yield source.get("source", name).refuse("is set, and the action is CUSTOM", "none")
    for condition in rule.items("when"):
        key = condition.get("key")
        identity = ("source.namespace", "source.serviceAccount", "source.principal")
        if key.text in identity or key.text.startswith("request.auth."):
            yield key.refuse(f"is {key.text}, and the action is CUSTOM", "another attribute")


def check_request_authentication(document: Node) -> Violations:
    """``ValidateRequestAuthentication``."""
    spec = document.get("spec")
    yield from check_target(spec)
    for rule in spec.items("jwtRules"):
        yield from _check_jwt_rule(rule)


def _check_jwt_rule(rule: Node) -> Violations:
    """``validateJwtRule``."""
    issuer, uri = rule.get("issuer"), rule.get("jwksUri")
    if issuer.value == "":
        yield issuer.refuse("is an empty string", "the issuer, or no such field")
    elif not issuer.text and not uri.text:
        yield rule.refuse("has neither issuer nor jwksUri", "one of them, or both")
    if rule.has("jwks") and uri.is_set:
        yield rule.get("jwks").refuse("is set beside jwksUri", "one of them")
    if uri.is_set and _uri_problem(uri.text):
        yield uri.refuse(f'"{short(uri.text)}" is not a URL', "http:// or https://, and a host")
    for name in ("audiences", "fromParams", "fromCookies", "spaceDelimitedClaims"):
        for entry in rule.items(name):
            if entry.value == "":
                yield entry.refuse("is empty", "a text")
    for location in rule.items("fromHeaders"):
        if not location.get("name").text:
            yield location.get("name").refuse("is missing", "the name of a header")
    for pair in rule.items("outputClaimToHeaders"):
        header, claim = pair.get("header"), pair.get("claim")
        if not claim.text:
            yield claim.refuse("is missing", "the name of a claim")
        if not STRICT_NAME.fullmatch(header.text):
            yield header.refuse(
                f'"{header.text}" is not the name of a header', "letters, digits, -"
            )
    yield from check_durations(rule, "timeout")


def _uri_problem(text: str) -> bool:
    """``ParseJwksURI``."""
    try:
        url = urlsplit(text)
        return url.scheme not in ("http", "https") or url.port == 0
    except ValueError:
        return True


def check_peer_authentication(document: Node) -> Violations:
    """``ValidatePeerAuthentication``."""
    spec = document.get("spec")
    labels, ports = spec.get("selector", "matchLabels"), spec.get("portLevelMtls")
    yield from check_selector(labels)
    if spec.has("selector") and not labels.entries():
        yield spec.get("selector").warn("selects every workload", "matchLabels, or no selector")
    if not ports.is_set:
        return
    if not labels.entries():
        yield ports.refuse("is set, and there is no selector, which Istio refuses", "a selector")
    if not ports.entries():
        yield ports.refuse("is empty", "at least one port")
    for port, mode in ports.entries():
        if not port.isdigit():
            yield mode.refuse(f'"{port}" is not a port', PORT_RANGE)
        else:
            yield from check_port(Node(int(port), mode.path))


def check_proxy_config(document: Node) -> Violations:
    """``ValidateProxyConfig``."""
    spec = document.get("spec")
    yield from check_selector(spec.get("selector", "matchLabels"))
    if spec.get("concurrency").number < 0:
        yield spec.get("concurrency").refuse("is negative", "0 or more")
