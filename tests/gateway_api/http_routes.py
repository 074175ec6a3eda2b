"""Builds HTTPRoutes from YAML, and the Envoy routes that they become."""

from __future__ import annotations

from typing import Any

import yaml

from meshproof.gateway_api.convert import convert_virtual_services
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.translate.world import Proxy, Service, World
from tests.translate import builders

HOST = "echo.default.svc.cluster.local"
SERVICES = (builders.service("echo", ports=(80, 8080)), builders.service("other"))
ECHO = "{group: '', kind: Service, name: echo}"
AT_80 = "{group: '', kind: Service, name: echo, port: 80}"
TO_ECHO = "backendRefs: [{name: echo, port: 80}]"
TO_OTHER = "backendRefs: [{name: other, port: 80}]"


def route(
    rules: str, parents: str = ECHO, name: str = "r", namespace: str = "default"
) -> list[Resource]:
    """One HTTPRoute; ``rules`` is the YAML list of its rules without the brackets."""
    text = yaml.safe_load(f"{{parentRefs: [{parents}], rules: [{rules}]}}")
    document = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": text,
    }
    return read_text(yaml.safe_dump(document), "route.yaml")


def build_mesh(resources: list[Resource], services: tuple[Service, ...] = SERVICES) -> World:
    return builders.world(
        services=services, virtual_services=convert_virtual_services(resources, services)
    )


def routes(
    resources: list[Resource],
    port: int = 80,
    proxy: Proxy = builders.CLIENT,
    services: tuple[Service, ...] = SERVICES,
    host: str = HOST,
) -> list[dict[str, Any]]:
    return builders.vhost_routes(build_mesh(resources, services), host, port, proxy)


def names(result: list[dict[str, Any]]) -> list[str]:
    return [r["name"] for r in result]
