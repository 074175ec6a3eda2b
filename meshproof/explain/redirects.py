"""Where a redirect leads: Envoy's Location (Http::Utility::newUri)."""

from __future__ import annotations

from meshproof.explain.request import Request
from meshproof.explain.rewriting import new_path
from meshproof.explain.string_match import Json

CODES = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
_OWN_PORT = {"http": ":80", "https": ":443"}


def code(redirect: Json) -> int:
    return CODES[redirect.get("response_code", "MOVED_PERMANENTLY")]


def location(redirect: Json, match: Json, request: Request) -> str:
    scheme = redirect.get("scheme_redirect") or (
        "https" if redirect.get("https_redirect") else request.scheme
    )
    port = f":{redirect['port_redirect']}" if redirect.get("port_redirect") else ""
    host = redirect.get("host_redirect") or _own_host(request, scheme, port)
    return f"{scheme}://{host}{port}{_path(redirect, match, request)}"


def _own_host(request: Request, scheme: str, port: str) -> str:
    """The request's, without its port where the redirect names one, or where it was the former
    scheme's own."""
    host, colon, number = request.authority.rpartition(":")
    if not colon or not number.isdigit():
        return request.authority
    former = request.get("x-forwarded-proto") or request.scheme
    drop = bool(port) or (scheme != former and f":{number}" == _OWN_PORT.get(former))
    return host if drop else request.authority


def _path(redirect: Json, match: Json, request: Request) -> str:
    path, (_, mark, query) = request.path, request.path.partition("?")
    if "path_redirect" in redirect:
        wanted = str(redirect["path_redirect"])
        keep = "?" not in wanted and not redirect.get("strip_query")
        return wanted + (mark + query if keep else "")
    path = new_path(redirect, match, path)
    return path.partition("?")[0] if redirect.get("strip_query") else path
