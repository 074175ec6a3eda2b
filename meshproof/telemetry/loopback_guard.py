"""Keeps web pages of other sites from reading servers on loopback.

A browser on this machine reaches loopback as well. If the name of a foreign site resolves to
127.x.y.z (DNS rebinding), its page counts as the same site as ours; so only requests to loopback
addresses and to localhost are answered.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from aiohttp import web


@web.middleware
async def local_only(request: web.Request, handler: Any) -> web.StreamResponse:
    """403 for a Host that is no loopback address, and for requests from a page of another site."""
    if not _loopback(request.host):
        raise web.HTTPForbidden(text=f"the Host is {request.host}; wanted a loopback address\n")
    origin = request.headers.get("Origin", "")
    if origin and origin != f"http://{request.host}":
        raise web.HTTPForbidden(text=f"the Origin is {origin}; wanted none but this one\n")
    response: web.StreamResponse = await handler(request)
    return response


def _loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
