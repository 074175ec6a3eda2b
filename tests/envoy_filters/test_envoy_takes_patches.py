"""A real Envoy takes sidecars with the patches that people write."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from meshproof.translate.world import Resource
from tests.envoy_filters.patch_builders import BEFORE_ROUTER, INTO_HCM, envoy_filter, lua, sidecar
from tests.translate.conftest import envoy, secrets
from tests.translate.static_bootstrap import static_bootstrap

__all__ = ["envoy", "secrets"]
EXTENSIONS = "type.googleapis.com/envoy.extensions"
GLOBAL_LIMIT = f"""
- applyTo: CLUSTER
  match: {{context: SIDECAR_INBOUND}}
  patch:
    operation: ADD
    value:
      name: limits
      type: STRICT_DNS
      connect_timeout: 10s
      http2_protocol_options: {{}}
      load_assignment:
        cluster_name: limits
        endpoints:
          - lb_endpoints:
              - endpoint: {{address: {{socket_address: {{address: echo, port_value: 80}}}}}}
- applyTo: HTTP_FILTER
  match: {{context: SIDECAR_INBOUND, {BEFORE_ROUTER}}}
  patch:
    operation: INSERT_BEFORE
    value:
      name: envoy.filters.http.ratelimit
      typed_config:
        "@type": {EXTENSIONS}.filters.http.ratelimit.v3.RateLimit
        domain: shop
        failure_mode_deny: true
        timeout: 300s
        rate_limit_service:
          grpc_service: {{envoy_grpc: {{cluster_name: limits}}, timeout: 30s}}
          transport_api_version: V3
- applyTo: VIRTUAL_HOST
  match: {{context: SIDECAR_INBOUND, routeConfiguration: {{vhost: {{name: "inbound|http|80"}}}}}}
  patch:
    operation: MERGE
    value:
      rate_limits: [{{actions: [{{request_headers: {{header_name: ":path", descriptor_key: p}}}}]}}]
"""
COMPRESSION = f"""
applyTo: HTTP_FILTER
match: {{context: SIDECAR_INBOUND, {BEFORE_ROUTER}}}
patch:
  operation: INSERT_BEFORE
  value:
    name: envoy.filters.http.compressor
    typed_config:
      "@type": type.googleapis.com/udpa.type.v1.TypedStruct
      type_url: {EXTENSIONS}.filters.http.compressor.v3.Compressor
      value:
        compressor_library:
          name: gzip
          typed_config: {{"@type": {EXTENSIONS}.compression.gzip.compressor.v3.Gzip}}
"""


@pytest.mark.parametrize("pods", [False, True])
def test_lua_limits_and_compression_are_taken(
    envoy: Path, tmp_path: Path, secrets: dict[str, Resource], pods: bool
) -> None:
    filters = (
        lua("INSERT_BEFORE", BEFORE_ROUTER),
        lua("INSERT_FIRST", INTO_HCM, "SIDECAR_OUTBOUND"),
        envoy_filter(GLOBAL_LIMIT, "limits"),
        envoy_filter(COMPRESSION, "gzip"),
    )
    path = tmp_path / "envoy.json"
    path.write_text(json.dumps(static_bootstrap([sidecar(*filters, pods=pods)], secrets)))
    command = [str(envoy), "--mode", "validate", "-c", str(path), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
