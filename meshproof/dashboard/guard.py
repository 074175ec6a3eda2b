"""Access control for the dashboard.

Only the user who started it may see the page: its address carries a token, which becomes a cookie
on the first visit. That keeps other users of the machine out, who reach loopback as well. Against
pages of other sites in the same browser (DNS rebinding, cross-site requests): the Host header must
be ours, and a change must come from our own origin and carry the token of our page, which no other
site can read.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TOKEN_HEADER = "X-Meshproof-Token"  # noqa: S105  (a header's name)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Checks requests against the port and the token of one dashboard."""

    def __init__(self, port: int, token: str) -> None:
        self.token = token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._cookie = f"meshproof-{port}"  # cookies do not know ports

    def find_refusal(self, request: web.Request) -> str:
        """Why a request is refused; empty if it is not."""
        host = request.headers.get("Host", "")
        if host not in self._hosts:
            return f"the Host header is {host!r}; wanted one of {', '.join(sorted(self._hosts))}"
        if request.method not in ("GET", "HEAD"):
            return self._find_change_refusal(request)
        if not self._is_token(request.cookies.get(self._cookie, "")):
            return "no token; open the address that meshproof printed when it started"
        return ""

    def _find_change_refusal(self, request: web.Request) -> str:
        origin = request.headers.get("Origin", "")
        if origin not in self._origins:
            return f"the Origin header is {origin!r}; a change must come from this page"
        if not self._is_token(request.headers.get(TOKEN_HEADER, "")):
            return f"{TOKEN_HEADER} is not this dashboard's token; load the page again"
        return ""

    def _is_token(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())

    def first_visit(self, request: web.Request) -> web.Response | None:
        """On the first visit, a redirect that moves the token from the address to a cookie."""
        token = request.query.get("token", "")
        if request.path != "/" or request.method != "GET" or not self._is_token(token):
            return None
        redirect = web.Response(status=303, headers={"Location": "/"})
        redirect.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict", path="/")
        return redirect

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse with 403 and the reason, or call the handler."""
        refusal = self.find_refusal(request)
        redirect = (
            self.first_visit(request) if request.headers.get("Host", "") in self._hosts else None
        )
        if redirect is not None:
            redirect.headers.update(_HEADERS)
            return redirect
        if refusal:
            return web.Response(status=403, text=f"403: {refusal}\n", headers=_HEADERS)
        return await handler(request)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """The security headers, on every response (``on_response_prepare``)."""
    response.headers.update(_HEADERS)
