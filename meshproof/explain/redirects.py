"""Redirects: status and Location as Envoy computes them (Http::Utility::newUri)."""

from __future__ import annotations

from meshproof.explain.request import Request
from meshproof.explain.rewriting import rewrite_path
from meshproof.explain.string_match import Json

CODES = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
_DEFAULT_PORT = {"http": ":80", "https": ":443"}


def redirect_code(redirect: Json) -> int:
    return CODES[redirect.get("response_code", "MOVED_PERMANENTLY")]


def redirect_location(redirect: Json, match: Json, request: Request) -> str:
    scheme = redirect.get("scheme_redirect") or (
        "https" if redirect.get("https_redirect") else request.scheme
    )
    port = f":{redirect['port_redirect']}" if redirect.get("port_redirect") else ""
    host = redirect.get("host_redirect") or _own_host(request, scheme, port)
    return f"{scheme}://{host}{port}{_path(redirect, match, request)}"


def _own_host(request: Request, scheme: str, port: str) -> str:
    """The request's host, without its port if the redirect sets one, or if it was the default port
    of the previous scheme."""
    host, colon, number = request.authority.rpartition(":")
    if not colon or not number.isdigit():
        return request.authority
    previous = request.get("x-forwarded-proto") or request.scheme
    drop = bool(port) or (scheme != previous and f":{number}" == _DEFAULT_PORT.get(previous))
    return host if drop else request.authority


def _path(redirect: Json, match: Json, request: Request) -> str:
    path, (_, mark, query) = request.path, request.path.partition("?")
    if "path_redirect" in redirect:
        target = str(redirect["path_redirect"])
        keep = "?" not in target and not redirect.get("strip_query")
        return target + (mark + query if keep else "")
    path = rewrite_path(redirect, match, path)
    return path.partition("?")[0] if redirect.get("strip_query") else path
