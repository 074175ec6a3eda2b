"""Extensions of the VirtualService model for routes converted from HTTPRoutes.

A VirtualService cannot express a prefix redirect or a backend that does not exist. Istio encodes
the former as ``%PREFIX()%<path>`` in ``redirect.uri`` and the latter as an empty host
(pilot/pkg/config/kube/gateway/conversion.go); here both have a name.
"""

from __future__ import annotations

from meshproof.model.virtual_service_route import HTTPRedirect

UNKNOWN_SERVICE = "UnknownService"
"""The destination host of an invalid backend, and the name of its cluster, which never exists."""


class PrefixRedirect(HTTPRedirect):
    """Replaces the matched prefix with ``prefix`` and keeps the rest of the path."""

    prefix: str
