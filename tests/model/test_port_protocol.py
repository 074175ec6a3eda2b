"""The protocol of a Service's port."""

from __future__ import annotations

import pytest

from meshproof.model.kube_service import ServicePort
from meshproof.model.port_protocol import handling_of, protocol_of


@pytest.mark.parametrize(
    ("port", "protocol", "handling"),
    [
        ({"port": 80}, "HTTP", "HTTP"),
        ({"port": 80, "name": "web"}, "HTTP", "HTTP"),
        ({"port": 80, "name": "http"}, "HTTP", "HTTP"),
        ({"port": 80, "name": "HTTP2-api"}, "HTTP2", "HTTP"),
        ({"port": 80, "name": "grpc-web"}, "GRPC-WEB", "HTTP"),
        ({"port": 80, "name": "grpc-api"}, "GRPC", "HTTP"),
        ({"port": 80, "name": "tcp-raw"}, "TCP", "TCP"),
        ({"port": 80, "name": "http", "appProtocol": "tcp"}, "TCP", "TCP"),
        ({"port": 80, "appProtocol": "kubernetes.io/h2c"}, "HTTP2", "HTTP"),
        ({"port": 443}, "HTTPS", "HTTPS"),
        ({"port": 443, "name": "http"}, "HTTP", "HTTP"),
        ({"port": 8443, "name": "tls"}, "TLS", "TLS"),
        ({"port": 3306, "name": "db"}, "TCP", "TCP"),
        ({"port": 6379, "name": "redis"}, "REDIS", "TCP"),
    ],
)
def test_a_ports_protocol(port: dict[str, object], protocol: str, handling: str) -> None:
    result = protocol_of(ServicePort.model_validate(port))
    assert (result, handling_of(result)) == (protocol, handling)
