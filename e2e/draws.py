"""Rules and requests drawn at random, for ``test_explain``: all that decides what happens to one
request, in the mesh of conformance/. Pure: a ``Random`` in, YAML and requests out."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

Json = dict[str, Any]
HOSTS = (
    *("echo",) * 6, "echo.conf", "echo.conf.svc.cluster.local", "echo:80", "ECHO", "other",
    "outside.test", "outside.test:80", "echo:81", "nowhere.test",
)  # fmt: skip
GATEWAY_HOSTS = (*("shop.test",) * 3, "shop.test:8080", "a.wild.test", "wild.test", "other.test")
METHODS = ("GET", "GET", "GET", "POST", "PUT", "DELETE", "OPTIONS")
PATHS = (
    "/", "/a", "/a/", "/a/b", "/A/B", "/ab", "/a/b/c", "/pay", "/pay/1", "/x.json", "/a%2Fb",
    "/%61", "/a/../pay", "/a/./b", "/pay/..", "//a", "/a;v=1",
)  # fmt: skip
QUERIES = ("", "", "", "?q=1", "?q=2&q=1", "?q", "?r=%31&q=10", "?")
HEADERS = ("x-user", "x-mode", "cookie", "origin")
VALUES = ("jason", "jay", "a", "a=1; user=jason", "JASON", "")
BASE: tuple[Json, ...] = (
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "echo", "namespace": "conf"},
        "spec": {
            "host": "echo",
            "subsets": [{"name": v, "labels": {"version": v}} for v in ("v1", "v2", "v3")],
        },
    },
    *(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"echo-{v}", "namespace": "conf"},
            "spec": {
                "selector": {"app": "echo", "version": v},
                "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
            },
        }
        for v in ("v1", "v2")
    ),
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gate", "namespace": "conf"},
        "spec": {
            "selector": {"istio": "ingressgateway"},
            "servers": [
                {
                    "port": {"number": 80, "name": "http", "protocol": "HTTP"},
                    "hosts": ["shop.test", "*.wild.test"],
                }
            ],
        },
    },
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "outside", "namespace": "conf"},
        "spec": {
            "hosts": ["outside.test"],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        },
    },
)


@dataclass(frozen=True, slots=True)
class Draw:
    """``sender`` is a workload or ``gateway``."""

    sender: str
    method: str
    host: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(default=())


def requests(rng: random.Random, count: int) -> list[Draw]:
    return [_request(rng) for _ in range(count)]


def _request(rng: random.Random) -> Draw:
    sender = rng.choice(("client", "client", "client", "intruder", "gateway"))
    hosts = GATEWAY_HOSTS if sender == "gateway" else HOSTS
    names = rng.sample(HEADERS, rng.choice((0, 0, 1, 1, 2)))
    headers = tuple((name, rng.choice(VALUES)) for name in names)
    if rng.random() < 0.1:
        headers += (("access-control-request-method", "GET"),)
    path = rng.choice(PATHS) + rng.choice(QUERIES)
    return Draw(sender, rng.choice(METHODS), rng.choice(hosts), path, headers)


def rules(rng: random.Random) -> str:
    """A set of rules, valid and all live together."""
    made: list[Json] = list(BASE)
    made.append(rng.choice((_virtual_service, _virtual_service, _http_route))(rng))
    made.append(_for_gateway(rng))
    if rng.random() < 0.3:
        made.append(named(_rule(rng, "outside.test"), "out"))
    made += [_policy(rng, number) for number in range(rng.choice((0, 0, 1, 2)))]
    if rng.random() < 0.1:
        made.append(_peers(rng))
    return yaml.safe_dump_all(made)


def named(spec: Json, name: str, kind: str = "VirtualService") -> Json:
    api = "security" if kind in ("AuthorizationPolicy", "PeerAuthentication") else "networking"
    return {
        "apiVersion": f"{api}.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "conf"},
        "spec": spec,
    }


def _text(rng: random.Random, values: Sequence[str]) -> Json:
    value = rng.choice(values)
    kind = rng.choice(("exact", "exact", "prefix", "regex"))
    if kind == "regex":
        return {"regex": rng.choice((".*", ".+", "[a-j].*", "/a.*", "/pay/?.*", "1|2"))}
    return {kind: value or "a"}


def _match(rng: random.Random) -> Json:
    paths = [p for p in PATHS if "%" not in p and ".." not in p]
    made: Json = {}
    if rng.random() < 0.6:
        made["uri"] = _text(rng, paths)
        if rng.random() < 0.2:
            made["ignoreUriCase"] = True
    for name in ("headers", "withoutHeaders"):
        if rng.random() < 0.25:
            one = {} if rng.random() < 0.2 else _text(rng, VALUES)
            made[name] = {rng.choice(HEADERS): one}
    if rng.random() < 0.2:
        made["queryParams"] = {rng.choice("qr"): _text(rng, ("1", "2", "10"))}
    if rng.random() < 0.2:
        made["method"] = {"exact": rng.choice(METHODS)}
    if rng.random() < 0.1:
        made["authority"] = {"prefix": rng.choice(("echo", "shop", "a."))}
    if rng.random() < 0.1:
        made["sourceLabels"] = {"app": rng.choice(("client", "intruder"))}
    return made or {"uri": {"prefix": "/"}}


def _virtual_service(rng: random.Random) -> Json:
    return named(_rule(rng, "echo"), "echo")


def _rule(rng: random.Random, *hosts: str) -> Json:
    routes = []
    for _ in range(rng.choice((1, 2, 3, 4))):
        made = rng.choice(_ACTIONS)(rng)
        if rng.random() < 0.8:
            made["match"] = [_match(rng) for _ in range(rng.choice((1, 1, 2)))]
        routes.append(made)
    if rng.random() < 0.6:
        routes.append(_split(rng))
    return {"hosts": list(hosts), "http": routes}


def _destination(rng: random.Random) -> Json:
    if rng.random() < 0.15:
        return {"host": "other"}
    return {"host": "echo", "subset": rng.choice(("v1", "v1", "v2", "v2", "v2", "v3", "v9"))}


def _one(rng: random.Random) -> Json:
    made: Json = {"route": [{"destination": _destination(rng)}]}
    if rng.random() < 0.3:
        made["rewrite"] = rng.choice(
            (
                {"uri": "/new"},
                {"uri": "/"},
                {"authority": "echo.new"},
                {"uriRegexRewrite": {"match": "^/([^/]*)/?(.*)$", "rewrite": r"/\2/\1"}},
            )
        )
    if rng.random() < 0.3:
        made["headers"] = {"request": {"set": {"x-mode": "set", "x-user": "jay"}}}
    return made


def _split(rng: random.Random) -> Json:
    first = rng.choice((0, 100, 50, 30, 10))
    weights = {"v1": first, "v2": 100 - first}
    return {
        "route": [
            {"destination": {"host": "echo", "subset": v}, "weight": w} for v, w in weights.items()
        ]
    }


def _redirect(rng: random.Random) -> Json:
    made: Json = {"redirectCode": rng.choice((301, 302, 303, 307, 308))}
    if rng.random() < 0.6:
        made["uri"] = rng.choice(("/to", "/to?z=1"))
    if rng.random() < 0.5 or "uri" not in made:
        made["authority"] = "to.test"
    if rng.random() < 0.3:
        made["scheme"] = rng.choice(("http", "https"))
    if rng.random() < 0.3:
        made |= rng.choice(({"port": 8443}, {"derivePort": "FROM_REQUEST_PORT"}))
    return {"redirect": made}


def _direct(rng: random.Random) -> Json:
    status = rng.choice((200, 404, 418, 503))
    return {"directResponse": {"status": status, "body": {"string": f"said {status}"}}}


def _fault(rng: random.Random) -> Json:
    value = rng.choice((100, 100, 50, 0))
    abort = {"httpStatus": rng.choice((500, 418, 403)), "percentage": {"value": value}}
    return {**rng.choice((_one, _split, _direct))(rng), "fault": {"abort": abort}}


def _cors(rng: random.Random) -> Json:
    origins = [{"exact": rng.choice(VALUES[:3])}]
    policy: Json = {"allowOrigins": origins, "allowMethods": ["GET"]}
    if rng.random() < 0.5:
        policy["unmatchedPreflights"] = "IGNORE"
    return {**_split(rng), "corsPolicy": policy}


_ACTIONS: tuple[Callable[[random.Random], Json], ...] = (
    _one, _one, _split, _split, _redirect, _direct, _fault, _cors,
)  # fmt: skip


def _for_gateway(rng: random.Random) -> Json:
    hosts = rng.choice((["shop.test"], ["a.wild.test"], ["*.wild.test"], ["shop.test", "*"]))
    return named({**_rule(rng), "hosts": hosts, "gateways": ["gate"]}, "shop")


def _http_route(rng: random.Random) -> Json:
    count = rng.choice((1, 2, 3))
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "echo", "namespace": "conf"},
        "spec": {
            "parentRefs": [{"group": "", "kind": "Service", "name": "echo"}],
            "rules": [_http_rule(rng) for _ in range(count)],
        },
    }


def _http_rule(rng: random.Random) -> Json:
    made: Json = {}
    if rng.random() < 0.8:
        made["matches"] = [_http_match(rng) for _ in range(rng.choice((1, 2)))]
    chance = rng.random()
    if chance < 0.2:
        path = rng.choice(("ReplaceFullPath", "ReplacePrefixMatch"))
        field_ = path[0].lower() + path[1:]
        change = {"type": path, field_: rng.choice(("/to", "/"))}
        if path == "ReplacePrefixMatch":
            made["matches"] = [{"path": {"type": "PathPrefix", "value": "/a"}}]
        if rng.random() < 0.5:
            made["filters"] = [
                {
                    "type": "RequestRedirect",
                    "requestRedirect": {"path": change, "statusCode": 302, "hostname": "to.test"},
                }
            ]
            return made
        made["filters"] = [{"type": "URLRewrite", "urlRewrite": {"path": change}}]
    names = rng.sample(("echo-v1", "echo-v2", "other", "missing"), rng.choice((1, 2, 2)))
    made["backendRefs"] = [
        {"name": name, "port": 80, "weight": rng.choice((0, 1, 1, 3))} for name in names
    ]
    return made


def _http_match(rng: random.Random) -> Json:
    made: Json = {}
    if rng.random() < 0.7:
        kind = rng.choice(("Exact", "PathPrefix", "PathPrefix", "RegularExpression"))
        value = rng.choice(("/a", "/a/b", "/pay", "/"))
        made["path"] = {"type": kind, "value": f"{value}.*" if kind[0] == "R" else value}
    if rng.random() < 0.3:
        made["headers"] = [{"name": rng.choice(HEADERS), "value": rng.choice(VALUES[:3])}]
    if rng.random() < 0.2:
        made["queryParams"] = [{"name": "q", "value": rng.choice("12")}]
    if rng.random() < 0.2:
        made["method"] = rng.choice(METHODS[:6])
    return made


def _policy(rng: random.Random, number: int) -> Json:
    spec: Json = {"action": rng.choice(("DENY", "DENY", "ALLOW"))}
    if rng.random() < 0.7:
        label = rng.choice((("app", "echo"), ("version", "v1"), ("app", "other")))
        spec["selector"] = {"matchLabels": dict([label])}
    spec["rules"] = [_policy_rule(rng) for _ in range(rng.choice((1, 1, 2)))]
    return named(spec, f"p{number}", "AuthorizationPolicy")


def _policy_rule(rng: random.Random) -> Json:
    made: Json = {}
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
        made["from"] = [{"source": source}]
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
        made["to"] = [{"operation": operation}]
    if rng.random() < 0.2:
        made["when"] = [{"key": "request.headers[x-user]", "values": [rng.choice(("jay", "ja*"))]}]
    return made or {"to": [{"operation": {"methods": ["PUT"]}}]}


def _peers(rng: random.Random) -> Json:
    spec: Json = {"mtls": {"mode": rng.choice(("STRICT", "PERMISSIVE"))}}
    if rng.random() < 0.5:
        spec["selector"] = {"matchLabels": {"version": "v1"}}
    return named(spec, "mode", "PeerAuthentication")
