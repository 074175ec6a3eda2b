"""Who may see the page, and who may change the mesh through it.

The page is for whoever started it: its address carries a token, which becomes a cookie on the
first visit. That keeps out other users of the machine (loopback is everybody's). Against pages of
other sites in the same browser: the Host header must be ours (a name that is rebound to loopback
is not), a change must come from our own origin and carry the token that stands in our page, which
no other site can read.
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
    """Knows the port and the token of one dashboard."""

    def __init__(self, port: int, token: str) -> None:
        self.token = token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._cookie = f"meshproof-{port}"  # cookies do not know ports

    def refusal(self, request: web.Request) -> str:
        """Why a request is not answered; empty where it is."""
        host = request.headers.get("Host", "")
        if host not in self._hosts:
            return f"the Host header is {host!r}; wanted one of {', '.join(sorted(self._hosts))}"
        if request.method not in ("GET", "HEAD"):
            return self._refused_change(request)
        if not self._known(request.cookies.get(self._cookie, "")):
            return "no token; open the address that meshproof printed when it started"
        return ""

    def _refused_change(self, request: web.Request) -> str:
        origin = request.headers.get("Origin", "")
        if origin not in self._origins:
            return f"the Origin header is {origin!r}; a change must come from this page"
        if not self._known(request.headers.get(TOKEN_HEADER, "")):
            return f"{TOKEN_HEADER} is not this dashboard's token; load the page again"
        return ""

    def _known(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())

    def visit(self, request: web.Request) -> web.Response | None:
        """The first visit: the token of the address becomes a cookie, and leaves the address."""
        token = request.query.get("token", "")
        if request.path != "/" or request.method != "GET" or not self._known(token):
            return None
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict", path="/")
        return answer

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse with 403 and the reason, or hand on."""
        why = self.refusal(request)
        first = self.visit(request) if request.headers.get("Host", "") in self._hosts else None
        if first is not None:
            first.headers.update(_HEADERS)
            return first
        if why:
            return web.Response(status=403, text=f"403: {why}\n", headers=_HEADERS)
        return await handler(request)


async def add_headers(_request: web.Request, answer: web.StreamResponse) -> None:
    """For ``on_response_prepare``: every answer has them."""
    answer.headers.update(_HEADERS)
