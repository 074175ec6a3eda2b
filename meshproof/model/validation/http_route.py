"""An HTTP route of a VirtualService, as ``validateHTTPRoute`` judges it."""

from __future__ import annotations

from meshproof.model.regex import regex_problem
from meshproof.model.validation import headers as header_rules
from meshproof.model.validation.http_actions import (
    check_cors,
    check_direct_response,
    check_fault,
    check_mirrors,
    check_redirect,
    check_retries,
    check_rewrite,
)
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.routes import check_destinations, check_match
from meshproof.model.validation.values import check_durations, check_port, dns_label

_LONGEST_REGEX = 1024


def check_http_route(route: Node, *, delegate: bool, of_gateway_api: bool) -> Violations:
    yield from _check_actions(route, delegate=delegate)
    for match in route.items("match"):
        yield from _check_match(match)
    for owner in (route, *route.items("route")):
        yield from header_rules.check_headers(owner.get("headers"))
    yield from check_cors(route.get("corsPolicy"))
    yield from check_fault(route.get("fault"))
    yield from check_mirrors(route)
    yield from check_redirect(route.get("redirect"))
    yield from check_direct_response(route.get("directResponse"))
    yield from check_retries(route.get("retries"))
    yield from check_rewrite(route.get("rewrite"))
    yield from header_rules.check_one_authority(route.get("rewrite"), route.get("headers"))
    yield from check_destinations(route, of_gateway_api=of_gateway_api)
    yield from check_durations(route, "timeout")


def _check_actions(route: Node, *, delegate: bool) -> Violations:
    """``validateHTTPRouteConflict``."""
    if route.has("delegate") and not delegate:
        for action in route.which("redirect", "route"):
            yield route.get(action).refuse("is set beside delegate", "one of them")
        return
    if route.has("delegate"):
        yield route.get("delegate").refuse(
            "is in a delegate (it has no hosts), and Istio delegates only once", "a route"
        )
    for action in ("redirect", "directResponse"):
        if not route.has(action):
            continue
        rivals = route.which("fault", "rewrite", "directResponse")
        if route.items("route"):
            rivals.append("route")
        for rival in rivals:
            if rival != action:
                yield route.get(rival).refuse(f"is set beside {action}", "one of them")
        break
    else:
        if not route.items("route"):
            yield route.refuse(
                "has none of route, redirect, directResponse, delegate", "one of them"
            )
    if route.has("mirror") and route.items("mirrors"):
        yield route.get("mirrors").refuse("are set beside mirror", "one of them")


def _check_match(match: Node) -> Violations:
    """``validateHTTPRouteMatchRequest``: only a path may have an empty prefix."""
    for field in ("headers", "withoutHeaders"):
        for name, value in match.entries(field):
            if problem := header_rules.match_name(name):
                yield value.refuse(problem, header_rules.NAME)
            # Istio's word for "present", and no expression.
            if field == "headers" or value.get("regex").text != "*":
                yield from _check_string(value)
    yield from check_regex(match.get("uri", "regex"))
    for field in ("scheme", "method", "authority"):
        yield from _check_string(match.get(field))
    for _, value in match.entries("queryParams"):
        yield from _check_string(value)
    if match.get("port").number:
        yield from check_port(match.get("port"))
    yield from check_match(match)
    if match.get("sourceNamespace").text:
        yield from match.get("sourceNamespace").check(dns_label, "the name of a namespace")


def _check_string(match: Node) -> Violations:
    """``validateStringMatch``."""
    prefix = match.get("prefix")
    if prefix.value == "":
        yield prefix.refuse("is an empty prefix", "a text", "for any value, write {}")
    yield from check_regex(match.get("regex"))


def check_regex(regex: Node) -> Violations:
    """``validateStringMatchRegexp``: Go's engine reads the expressions of RE2, as Envoy's does."""
    if not isinstance(regex.value, str):
        return
    if not regex.text:
        yield regex.refuse("is an empty expression", "a regular expression", "for any value, .*")
    elif len(regex.text) > _LONGEST_REGEX:
        yield regex.refuse(
            f"has {len(regex.text)} characters", f"at most {_LONGEST_REGEX}", "split the match"
        )
    elif problem := regex_problem(regex.text):
        yield regex.refuse(*problem.split("; wanted "))
