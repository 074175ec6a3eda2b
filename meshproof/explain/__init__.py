"""Explains what the mesh's Envoys do with one request, without sending it. Pure.

It evaluates the configuration that Envoys were given (listeners, routes, clusters, endpoints, in
protobuf's JSON form as ``json_format.MessageToDict`` writes it with snake_case names), never the
rules. It follows Envoy's v3 documentation and the source of its router, rbac, jwt_authn, fault and
cors filters.

Not evaluated, since it depends on more than one request: outlier detection, circuit breakers, rate
limits, what an app answers, and so whether a retry happens.
"""

from __future__ import annotations

from meshproof.explain.explain import explain
from meshproof.explain.proxies import Fleet, LinkFault, Proxy
from meshproof.explain.request import Request, build_request
from meshproof.explain.result import Explanation

__all__ = ["Explanation", "Fleet", "LinkFault", "Proxy", "Request", "build_request", "explain"]
