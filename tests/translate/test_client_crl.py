"""A DestinationRule's ``caCrl``: a server whose certificate is revoked is not trusted."""

from __future__ import annotations

from typing import Any

from meshproof.translate.envoy_config import build_outbound_clusters
from tests.translate.builders import CLIENT, destination_rule, world


def test_the_file_comes_with_the_authorities() -> None:
    tls = "{mode: SIMPLE, caCertificates: /ca.pem, caCrl: /revoked.pem}"
    rules = (destination_rule(f"{{host: echo, trafficPolicy: {{tls: {tls}}}}}"),)
    config: Any = build_outbound_clusters(world(destination_rules=rules), CLIENT)
    cluster = config.clusters["outbound|80||echo.default.svc.cluster.local"]
    context = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    assert context["validation_context"]["trusted_ca"] == {"filename": "/ca.pem"}
    assert context["validation_context"]["crl"] == {"filename": "/revoked.pem"}
