"""AuthorizationPolicies and PeerAuthentications drawn at random. Pure."""

from __future__ import annotations

import random

from e2e.support.generators.routes import named
from e2e.support.generators.vocabulary import METHODS, Json


def policy(rng: random.Random, number: int) -> Json:
    spec: Json = {"action": rng.choice(("DENY", "DENY", "ALLOW"))}
    if rng.random() < 0.7:
        label = rng.choice((("app", "echo"), ("version", "v1"), ("app", "other")))
        spec["selector"] = {"matchLabels": dict([label])}
    spec["rules"] = [_policy_rule(rng) for _ in range(rng.choice((1, 1, 2)))]
    return named(spec, f"p{number}", "AuthorizationPolicy")


def _policy_rule(rng: random.Random) -> Json:
    rule: Json = {}
    if rng.random() < 0.6:
        source = rng.choice(
            (
                {"principals": ["cluster.local/ns/conf/sa/client"]},
                {"principals": ["*/client", "cluster.local/ns/istio-system/*"]},
                {"notPrincipals": ["*/intruder"]},
                {"namespaces": ["conf"]},
                {"notNamespaces": ["istio-system"]},
                {"ipBlocks": ["127.0.0.0/8"]},
            )
        )
        rule["from"] = [{"source": source}]
    if rng.random() < 0.7:
        operation: Json = {}
        if rng.random() < 0.5:
            operation[rng.choice(("methods", "notMethods"))] = rng.sample(METHODS[2:6], 2)
        if rng.random() < 0.6 or not operation:
            path = rng.choice(("/a", "/a*", "*.json", "*", "/a/{*}", "/{**}/b", "/pay"))
            operation[rng.choice(("paths", "notPaths"))] = [path]
        if rng.random() < 0.2:
            operation["hosts"] = [rng.choice(("echo", "echo*", "*.local", "shop.test"))]
        if rng.random() < 0.2:
            operation["ports"] = [rng.choice(("8080", "9090"))]
        rule["to"] = [{"operation": operation}]
    if rng.random() < 0.2:
        rule["when"] = [{"key": "request.headers[x-user]", "values": [rng.choice(("jay", "ja*"))]}]
    return rule or {"to": [{"operation": {"methods": ["PUT"]}}]}


def peers(rng: random.Random) -> Json:
    spec: Json = {"mtls": {"mode": rng.choice(("STRICT", "PERMISSIVE"))}}
    if rng.random() < 0.5:
        spec["selector"] = {"matchLabels": {"version": "v1"}}
    return named(spec, "mode", "PeerAuthentication")
