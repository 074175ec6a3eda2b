"""The configuration of an Envoy, each of its resources as it is on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.translate.world import Config
from meshproof.xds import codec

_TYPES = {
    "clusters": codec.CLUSTERS,
    "endpoints": codec.ENDPOINTS,
    "listeners": codec.LISTENERS,
    "routes": codec.ROUTES,
}
Encoded = Mapping[str, Mapping[str, codec.Encoded]]
"""By type URL and name."""


def encode(config: Config) -> Encoded:
    return {
        type_url: {n: codec.encode(type_url, r) for n, r in getattr(config, attribute).items()}
        for attribute, type_url in _TYPES.items()
    }
