"""VirtualServices and HTTPRoutes drawn at random. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from e2e.support.generators.vocabulary import HEADERS, METHODS, PATHS, VALUES, Json


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
    match: Json = {}
    if rng.random() < 0.6:
        match["uri"] = _text(rng, paths)
        if rng.random() < 0.2:
            match["ignoreUriCase"] = True
    for name in ("headers", "withoutHeaders"):
        if rng.random() < 0.25:
            one = {} if rng.random() < 0.2 else _text(rng, VALUES)
            match[name] = {rng.choice(HEADERS): one}
    if rng.random() < 0.2:
        match["queryParams"] = {rng.choice("qr"): _text(rng, ("1", "2", "10"))}
    if rng.random() < 0.2:
        match["method"] = {"exact": rng.choice(METHODS)}
    if rng.random() < 0.1:
        match["authority"] = {"prefix": rng.choice(("echo", "shop", "a."))}
    if rng.random() < 0.1:
        match["sourceLabels"] = {"app": rng.choice(("client", "intruder"))}
    return match or {"uri": {"prefix": "/"}}


def virtual_service(rng: random.Random) -> Json:
    return named(_rule(rng, "echo"), "echo")


def out(rng: random.Random) -> Json:
    return named(_rule(rng, "outside.test"), "out")


def _rule(rng: random.Random, *hosts: str) -> Json:
    routes = []
    for _ in range(rng.choice((1, 2, 3, 4))):
        route = rng.choice(_ACTIONS)(rng)
        if rng.random() < 0.8:
            route["match"] = [_match(rng) for _ in range(rng.choice((1, 1, 2)))]
        routes.append(route)
    if rng.random() < 0.6:
        routes.append(_split(rng))
    return {"hosts": list(hosts), "http": routes}


def _destination(rng: random.Random) -> Json:
    if rng.random() < 0.15:
        return {"host": "other"}
    return {"host": "echo", "subset": rng.choice(("v1", "v1", "v2", "v2", "v2", "v3", "v9"))}


def _one(rng: random.Random) -> Json:
    route: Json = {"route": [{"destination": _destination(rng)}]}
    if rng.random() < 0.3:
        route["rewrite"] = rng.choice(
            (
                {"uri": "/new"},
                {"uri": "/"},
                {"authority": "echo.new"},
                {"uriRegexRewrite": {"match": "^/([^/]*)/?(.*)$", "rewrite": r"/\2/\1"}},
            )
        )
    if rng.random() < 0.3:
        route["headers"] = {"request": {"set": {"x-mode": "set", "x-user": "jay"}}}
    return route


def _split(rng: random.Random) -> Json:
    first = rng.choice((0, 100, 50, 30, 10))
    weights = {"v1": first, "v2": 100 - first}
    return {
        "route": [
            {"destination": {"host": "echo", "subset": v}, "weight": w} for v, w in weights.items()
        ]
    }


def _redirect(rng: random.Random) -> Json:
    redirect: Json = {"redirectCode": rng.choice((301, 302, 303, 307, 308))}
    if rng.random() < 0.6:
        redirect["uri"] = rng.choice(("/to", "/to?z=1"))
    if rng.random() < 0.5 or "uri" not in redirect:
        redirect["authority"] = "to.test"
    if rng.random() < 0.3:
        redirect["scheme"] = rng.choice(("http", "https"))
    if rng.random() < 0.3:
        redirect |= rng.choice(({"port": 8443}, {"derivePort": "FROM_REQUEST_PORT"}))
    return {"redirect": redirect}


def _direct(rng: random.Random) -> Json:
    status = rng.choice((200, 404, 418, 503))
    return {"directResponse": {"status": status, "body": {"string": f"said {status}"}}}


def _fault(rng: random.Random) -> Json:
    value = rng.choice((100, 100, 50, 0))
    abort = {"httpStatus": rng.choice((500, 418, 403)), "percentage": {"value": value}}
    return {**rng.choice((_one, _split))(rng), "fault": {"abort": abort}}


def _cors(rng: random.Random) -> Json:
    origins = [{"exact": rng.choice(VALUES[:3])}]
    policy: Json = {"allowOrigins": origins, "allowMethods": ["GET"]}
    if rng.random() < 0.5:
        policy["unmatchedPreflights"] = "IGNORE"
    return {**_split(rng), "corsPolicy": policy}


_ACTIONS: tuple[Callable[[random.Random], Json], ...] = (
    _one, _one, _split, _split, _redirect, _direct, _fault, _cors,
)  # fmt: skip


def for_gateway(rng: random.Random) -> Json:
    hosts = rng.choice(
        (["shop.test"], ["a.wild.test"], ["*.wild.test"], ["shop.test", "*.wild.test"])
    )
    return named({**_rule(rng), "hosts": hosts, "gateways": ["gate"]}, "shop")


def http_route(rng: random.Random) -> Json:
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
    rule: Json = {}
    if rng.random() < 0.8:
        rule["matches"] = [_http_match(rng) for _ in range(rng.choice((1, 2)))]
    chance = rng.random()
    if chance < 0.2:
        path = rng.choice(("ReplaceFullPath", "ReplacePrefixMatch"))
        field_ = path[0].lower() + path[1:]
        change = {"type": path, field_: rng.choice(("/to", "/"))}
        if path == "ReplacePrefixMatch":
            rule["matches"] = [{"path": {"type": "PathPrefix", "value": "/a"}}]
        if rng.random() < 0.5:
            rule["filters"] = [
                {
                    "type": "RequestRedirect",
                    "requestRedirect": {"path": change, "statusCode": 302, "hostname": "to.test"},
                }
            ]
            return rule
        rule["filters"] = [{"type": "URLRewrite", "urlRewrite": {"path": change}}]
    names = rng.sample(("echo-v1", "echo-v2", "other", "missing"), rng.choice((1, 2, 2)))
    rule["backendRefs"] = [
        {"name": name, "port": 80, "weight": rng.choice((0, 1, 1, 3))} for name in names
    ]
    return rule


def _http_match(rng: random.Random) -> Json:
    match: Json = {}
    if rng.random() < 0.7:
        kind = rng.choice(("Exact", "PathPrefix", "PathPrefix", "RegularExpression"))
        value = rng.choice(("/a", "/a/b", "/pay", "/"))
        match["path"] = {"type": kind, "value": f"{value}.*" if kind[0] == "R" else value}
    if rng.random() < 0.3:
        match["headers"] = [{"name": rng.choice(HEADERS), "value": rng.choice(VALUES[:3])}]
    if rng.random() < 0.2:
        match["queryParams"] = [{"name": "q", "value": rng.choice("12")}]
    if rng.random() < 0.2:
        match["method"] = rng.choice(METHODS[:6])
    return match
