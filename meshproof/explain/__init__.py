"""What an emitted Envoy configuration does with one request, without sending it. Pure.

It reads what Envoys are given (listeners, routes, clusters, endpoints, in protobuf's JSON form as
``json_format.MessageToDict`` writes it with snake_case names), never the rules themselves. Envoy's
own rules of evaluation are the measure: docs of v3 and source of its router, rbac, jwt_authn,
fault and cors filters.

Not evaluated, since it depends on more than one request: outlier detection, circuit breakers,
rate limits, what an app answers, and so whether a retry happens.
"""

from __future__ import annotations

from meshproof.explain.explain import explain
from meshproof.explain.proxies import Fleet, LinkFault, Proxy
from meshproof.explain.request import Request, request_of
from meshproof.explain.result import Explanation

__all__ = ["Explanation", "Fleet", "LinkFault", "Proxy", "Request", "explain", "request_of"]
