"""What routes made out of HTTPRoutes say beyond a VirtualService's own words.

Istio writes the first as ``%PREFIX()%<path>`` into ``redirect.uri`` and the second as an empty
host (pilot/pkg/config/kube/gateway/conversion.go); here both are said openly.
"""

from __future__ import annotations

from meshproof.model.virtual_service_route import HTTPRedirect

UNKNOWN_SERVICE = "UnknownService"
"""The destination host of a backend that cannot be one; also its cluster's name, which is none."""


class PrefixRedirect(HTTPRedirect):
    """Puts ``prefix`` in the place of the matched prefix, and keeps the rest of the path."""

    prefix: str
