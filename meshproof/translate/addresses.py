"""Addresses of a world as Envoy writes them."""

from __future__ import annotations

from meshproof.translate.proto import Json, pipe_address, socket_address
from meshproof.translate.world import Address


def envoy_address(address: Address) -> Json:
    """An Envoy Address: a Unix socket if there is a path, else IP and port."""
    return pipe_address(address.path) if address.path else socket_address(address.ip, address.port)
