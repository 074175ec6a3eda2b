"""Keeps pages of other sites from reading what listens on loopback.

A browser on this machine reaches loopback too. A name that somebody lets point at 127.x.y.z would
make a page of theirs the same site as ours; so only addresses, and localhost, are answered.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from aiohttp import web


@web.middleware
async def local_only(request: web.Request, handler: Any) -> web.StreamResponse:
    """403 for a Host that is no loopback address, and for what a page of another site sends."""
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
