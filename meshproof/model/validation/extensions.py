"""EnvoyFilter and WasmPlugin, as ``ValidateEnvoyFilter`` and ``ValidateWasmPlugin`` judge them.

Whether a patch's value is configuration that Envoy takes is not judged here.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from meshproof.model.regex import regex_problem
from meshproof.model.string_types import short
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.policies import check_target
from meshproof.model.validation.values import check_port, check_selector

_OBJECTS = ("listener", "routeConfiguration", "cluster", "waypoint")
_MATCHES = {
    **dict.fromkeys(("LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER"), "listener"),
    **dict.fromkeys(("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"), "routeConfiguration"),
    "CLUSTER": "cluster",
}
_CONNECTION_MANAGERS = (
    "envoy.filters.network.http_connection_manager",
    "envoy.http_connection_manager",
)
_SHA256 = re.compile(r"[a-f0-9]{64}")
_BAD_URL = re.compile(r"%(?![0-9A-Fa-f]{2})|[ <>\"]")
_SCHEMES = ("", "file", "http", "https", "oci")


def check_envoy_filter(document: Node) -> Violations:
    spec = document.get("spec")
    selector = spec.get("workloadSelector")
    yield from check_selector(selector.get("labels"))
    if selector.is_set and not selector.entries("labels"):
        yield selector.warn("selects every workload of the namespace", "labels, or no selector")
    if selector.is_set and spec.items("targetRefs"):
        yield spec.get("targetRefs").refuse("is set beside workloadSelector", "one of them")
    for reference in spec.items("targetRefs"):
        yield from check_target(Node({"targetRef": reference.value}, reference.path[:-1]))
    for patch in spec.items("configPatches"):
        yield from _check_patch(patch)


def _check_patch(config: Node) -> Violations:
    apply_to, match, patch = (config.get(name) for name in ("applyTo", "match", "patch"))
    objects = match.which(*_OBJECTS)
    if len(objects) > 1:
        yield match.refuse(f"has {' and '.join(objects)}", "one of them")
    is_waypoint = match.get("context").text == "WAYPOINT"
    yield from check_port(match.get("waypoint", "portNumber"), optional=True)
    if match.is_set and is_waypoint != match.has("waypoint"):
        yield match.refuse("has waypoint and another context, or the other way", "both or none")
        return
    if is_waypoint:
        return
    if apply_to.text in ("", "INVALID"):
        yield apply_to.refuse("is missing", f"one of {', '.join(_MATCHES)}, ...")
        return
    operation = patch.get("operation")
    if not patch.is_set or operation.text in ("", "INVALID"):
        yield (operation if patch.is_set else patch).refuse("is missing", "such as MERGE")
        return
    if operation.text != "REMOVE" and not patch.has("value"):
        yield patch.get("value").refuse(f"is missing, and operation is {operation.text}", "a value")
    version = match.get("proxy", "proxyVersion")
    if version.text and (problem := regex_problem(version.text)):
        yield version.refuse(*problem.split("; wanted "))
    expected = _MATCHES.get(apply_to.text)
    if expected and objects and expected not in objects:
        yield match.get(objects[0]).refuse(f"is set, and applyTo is {apply_to.text}", expected)
    elif expected == "listener":
        yield from _check_filter(match.get("listener", "filterChain", "filter"), apply_to.text)


def _check_filter(network: Node, apply_to: str) -> Violations:
    if not network.is_set:
        return
    if apply_to in ("LISTENER", "FILTER_CHAIN"):
        yield network.warn(f"has no effect with applyTo {apply_to}", "NETWORK_FILTER")
    http = network.get("subFilter")
    if not network.get("name").text:
        yield network.get("name").refuse("is missing", "the name of a network filter")
    elif http.is_set and apply_to != "HTTP_FILTER":
        yield http.refuse(f"is set, and applyTo is {apply_to}", "HTTP_FILTER")
    elif http.is_set and network.get("name").text not in _CONNECTION_MANAGERS:
        yield network.get("name").refuse("has HTTP filters no more", _CONNECTION_MANAGERS[0])
    elif http.is_set and not http.get("name").text:
        yield http.get("name").refuse("is missing", "the name of an HTTP filter")


def check_wasm_plugin(document: Node) -> Violations:
    spec = document.get("spec")
    yield from check_target(spec)
    url, sha = spec.get("url"), spec.get("sha256")
    if not url.text or _url_problem(url.text):
        message = f'"{short(url.text)}" is not a URL' if url.text else "is missing"
        yield url.refuse(message, "file://, http://, https:// or oci://")
    if sha.text and not _SHA256.fullmatch(sha.text):
        yield sha.refuse("is not a SHA-256 sum", "64 characters of 0-9 and a-f")
    for name, longest in (("imagePullSecret", 253), ("pluginName", 256)):
        field = spec.get(name)
        if isinstance(field.value, str) and not 1 <= len(field.text) <= longest:
            yield field.refuse(f"has {len(field.text)} characters", f"1 to {longest}")
    names: set[str] = set()
    for variable in spec.get("vmConfig").items("env"):
        key = variable.get("name")
        if not 1 <= len(key.text) <= 256:
            yield key.refuse("is missing or too long", "1 to 256 characters")
        elif key.text in names:
            yield key.refuse(f"{key.text} is set twice", "each name once")
        names.add(key.text)
        if variable.get("valueFrom").text == "HOST" and variable.has("value"):
            yield variable.get("value").refuse("is set, and valueFrom is HOST", "INLINE")
    for match in spec.items("match"):
        for port in match.items("ports"):
            yield from check_port(port.get("number"))


def _url_problem(text: str) -> bool:
    """``strictParseURL``: without a scheme, http is meant."""
    try:
        url = urlsplit(text if "://" in text or text.startswith("/") else f"http://{text}")
        bad = url.port == 0 or not (url.netloc or url.path) or bool(_BAD_URL.search(text))
        return bad or url.scheme not in _SCHEMES
    except ValueError:
        return True
