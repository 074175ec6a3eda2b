"""What an HTTP route does with a request: faults, retries, redirects, rewrites, mirrors, CORS."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus

from meshproof.model.regex import regex_problem
from meshproof.model.validation.headers import cors_name
from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.routes import check_destination
from meshproof.model.validation.values import check_durations, check_port, has_fraction
from meshproof.model.virtual_service_route import GRPC_STATUS, RETRY_ON

_STATUSES = frozenset(str(int(status)) for status in HTTPStatus)
_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*")
)
_KB = 1024
_REGEX_REWRITE = "uriRegexRewrite"


def check_cors(policy: Node) -> Violations:
    """``validateCORSPolicy``."""
    for origin in policy.items("allowOrigins"):
        if not any(origin.get(kind).text for kind in ("exact", "prefix", "regex")):
            yield origin.refuse("is empty", "exact, prefix or regex")
        elif problem := regex_problem(origin.get("regex").text):
            yield origin.get("regex").refuse(*problem.split("; wanted "))
    for method in policy.items("allowMethods"):
        if method.text not in _METHODS:
            yield method.refuse(
                f'"{method.text}" is not a method of HTTP', f"one of {', '.join(sorted(_METHODS))}"
            )
    for field in ("allowHeaders", "exposeHeaders"):
        for name in policy.items(field):
            yield from name.check(cors_name, "the name of a header, or *")
    yield from check_durations(policy, "maxAge")
    age = policy.get("maxAge")
    if has_fraction(age.text):
        yield age.refuse(f'"{age.text}" is finer than a second', "whole seconds")


def check_fault(fault: Node) -> Violations:
    """``validateHTTPFaultInjection``."""
    if not fault.is_set:
        return
    if not fault.has("abort", "delay"):
        yield fault.refuse("has neither abort nor delay", "one of them, or both")
    delay, abort = fault.get("delay"), fault.get("abort")
    yield from check_durations(delay, "fixedDelay", "exponentialDelay")
    if delay.has("exponentialDelay"):
        yield delay.get("exponentialDelay").refuse("is not implemented in Istio", "fixedDelay")
    for part in (delay, abort):
        yield from _check_percentage(part.get("percentage", "value"))
    if not abort.is_set:
        return
    kinds = abort.which("httpStatus", "grpcStatus", "http2Error")
    if not kinds:
        yield abort.warn("has no status, and so does nothing", "httpStatus or grpcStatus")
    if len(kinds) > 1:
        yield abort.refuse(f"has {' and '.join(kinds)}", "one of them")
    grpc = abort.get("grpcStatus")
    if abort.has("grpcStatus") and grpc.text not in GRPC_STATUS:
        yield grpc.refuse(f'"{grpc.text}" is no status of gRPC', f"one of {', '.join(GRPC_STATUS)}")
    if abort.has("http2Error"):
        yield abort.get("http2Error").refuse("is not implemented in Istio", "httpStatus")
    yield from _check_status(abort.get("httpStatus"))


def _check_percentage(value: Node) -> Violations:
    """``validatePercentage``."""
    if not (value.number == 0 or 0.0001 <= value.number <= 100):
        yield value.refuse(f"is {value.number:g}", "0, or 0.0001 to 100")


def _check_status(status: Node) -> Violations:
    """``validateHTTPStatus`` takes 600 too."""
    if status.is_set and not 200 <= status.number <= 600:
        yield status.refuse(
            f"is {status.number:g}, which is no status to answer with", "200 to 599"
        )


def check_mirrors(route: Node) -> Violations:
    """``validateHTTPMirrors``, and the older fields."""
    yield from check_destination(route.get("mirror"))
    yield from _check_share(route.get("mirrorPercentage", "value"))
    for name in route.which("mirrorPercent", "mirror_percent"):
        yield from _check_share(route.get(name))
        yield route.get(name).warn("is deprecated", "mirrorPercentage.value")
    for mirror in route.items("mirrors"):
        if not mirror.has("destination"):
            yield mirror.get("destination").refuse("is missing", "a host")
        yield from check_destination(mirror.get("destination"))
        yield from _check_share(mirror.get("percentage", "value"))


def _check_share(value: Node) -> Violations:
    if not 0 <= value.number <= 100:
        yield value.refuse(f"is {value.number:g}", "0 to 100")


def check_redirect(redirect: Node) -> Violations:
    """``validateHTTPRedirect``, and the CRD's choice between port and derivePort."""
    if not redirect.is_set:
        return
    has_text = any(redirect.get(name).text for name in ("uri", "authority", "scheme"))
    if not has_text and not redirect.has("port", "derivePort"):
        yield redirect.refuse("changes nothing", "uri, authority, scheme or port")
    if redirect.has("port") and redirect.has("derivePort"):
        yield redirect.get("derivePort").refuse("is set beside port", "one of them")
    code, scheme = redirect.get("redirectCode"), redirect.get("scheme")
    if code.number and not 300 <= code.number <= 399:
        yield code.refuse(f"is {code.number:g}, which is no redirect", "301, 302, 303, 307 or 308")
    if scheme.text not in ("", "http", "https"):
        yield scheme.refuse(f'is "{scheme.text}"', "http or https")
    if redirect.get("port").number:
        yield from check_port(redirect.get("port"))


def check_direct_response(response: Node) -> Violations:
    """``validateHTTPDirectResponse``."""
    if not response.is_set:
        return
    yield from _check_status(response.get("status"))
    body = response.get("body")
    if body.has("string") and body.has("bytes"):
        yield body.refuse("has both string and bytes", "one of them")
    for name, size in (("string", len(body.get("string").text.encode())), ("bytes", _size(body))):
        if size > _KB * _KB:
            yield body.get(name).refuse(f"has {size} bytes", "at most 1 MiB", "serve it by an app")
        elif size > 100 * _KB:
            yield body.get(name).warn(f"has {size} bytes, which is much for istiod", "less")


def _size(body: Node) -> int:
    try:
        return len(base64.b64decode(body.get("bytes").text, validate=True))
    except binascii.Error:
        return 0


def check_retries(retries: Node) -> Violations:
    """``validateHTTPRetry``."""
    attempts = retries.get("attempts")
    if attempts.number < 0:
        yield attempts.refuse("is negative", "0 or more")
    idle = retries.which("perTryTimeout", "retryOn", "retryRemoteLocalities")
    idle = [name for name in idle if name != "retryOn" or retries.get(name).text]
    if not attempts.number and idle:
        at = attempts if attempts.is_set else retries
        message = f"retries are off (attempts is {'0' if attempts.is_set else 'missing'})"
        yield at.refuse(
            f"{message}, and {' and '.join(idle)} set",
            "attempts above 0",
            "write attempts: 2, Istio's default, or leave the rest out",
        )
    yield from check_durations(retries, "perTryTimeout", "backoff")
    conditions = retries.get("retryOn")
    for condition in conditions.text.split(",") if conditions.text else ():
        if condition not in RETRY_ON and condition not in _STATUSES:
            yield conditions.refuse(
                f'has "{condition}", which Istio refuses',
                f"HTTP statuses and {', '.join(sorted(RETRY_ON))}, with commas alone between them",
            )


def check_rewrite(rewrite: Node) -> Violations:
    """``validateHTTPRewrite``."""
    if not rewrite.is_set:
        return
    by_regex = rewrite.get(_REGEX_REWRITE)
    if rewrite.get("uri").text and by_regex.is_set:
        yield by_regex.refuse("is set beside uri", "one of them")
    if not (rewrite.get("uri").text or rewrite.get("authority").text or by_regex.is_set):
        yield rewrite.refuse("changes nothing", "uri, uriRegexRewrite or authority")
    if not by_regex.is_set:
        return
    for name in ("match", "rewrite"):
        if not by_regex.get(name).text:
            yield by_regex.get(name).refuse("is empty", "a text")
    if problem := regex_problem(by_regex.get("match").text):
        yield by_regex.get("match").refuse(*problem.split("; wanted "))
