"""Rules that the tests vary, as YAML."""

from __future__ import annotations

VIRTUAL_SERVICE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb, namespace: pay}
spec:
  hosts: [svcb]
  http:
  - route:
    - destination: {host: svcb, subset: v1}
"""
SERVICE_ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out}
spec:
  hosts: [msgd.test]
  resolution: DNS
"""
ROUTE_RULE = """\
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: r}
spec:
  destination: {name: svcb}
"""
