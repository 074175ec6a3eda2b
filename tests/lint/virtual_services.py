"""VirtualServices of svcb, as YAML."""

from __future__ import annotations

_VIRTUAL_SERVICE = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{hosts: [{host}], exportTo: {export}, http: {http}}}
"""
SVCB = "svcb.default.svc.cluster.local"
ROUTE = "route: [{destination: {host: svcb.default.svc.cluster.local}}]"


def virtual_service(
    http: str,
    name: str = "one",
    namespace: str = "default",
    host: str = SVCB,
    export: str = "['*']",
) -> str:
    return _VIRTUAL_SERVICE.format(
        name=name, namespace=namespace, host=host, export=export, http=http
    )
