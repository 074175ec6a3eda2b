"""A real sidecar with a local rate limit: a bucket for all requests, and one for a path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from meshproof.translate.world import Resource
from tests.envoy_filters.patch_builders import INTO_HCM, envoy_filter, sidecar_parts
from tests.translate import builders
from tests.translate.conftest import envoy, secrets
from tests.translate.envoy_process import get, loopback_prefix, serve_echo, start_envoy
from tests.translate.static_bootstrap import static_bootstrap

__all__ = ["envoy", "secrets"]

_TYPES = "type.googleapis.com/envoy.extensions.filters"
LOCAL_LIMIT = f"""
- applyTo: HTTP_FILTER
  match: {{context: SIDECAR_INBOUND, {INTO_HCM}}}
  patch:
    operation: INSERT_BEFORE
    value:
      name: envoy.filters.http.local_ratelimit
      typed_config:
        "@type": type.googleapis.com/udpa.type.v1.TypedStruct
        type_url: {_TYPES}.http.local_ratelimit.v3.LocalRateLimit
        value: {{stat_prefix: limiter}}
- applyTo: HTTP_ROUTE
  match:
    context: SIDECAR_INBOUND
    routeConfiguration: {{vhost: {{name: inbound|http|80, route: {{action: ANY}}}}}}
  patch:
    operation: MERGE
    value:
      route:
        rate_limits:
          - actions:
              - header_value_match:
                  descriptor_value: scarce
                  headers: [{{name: ":path", string_match: {{prefix: /scarce}}}}]
      typed_per_filter_config:
        envoy.filters.http.local_ratelimit:
          "@type": {_TYPES}.http.local_ratelimit.v3.LocalRateLimit
          stat_prefix: limits
          token_bucket: {{max_tokens: 8, fill_interval: 3600s}}
          filter_enabled: {{default_value: {{numerator: 100}}}}
          filter_enforced: {{default_value: {{numerator: 100}}}}
          descriptors:
            - entries: [{{key: header_match, value: scarce}}]
              token_bucket: {{max_tokens: 3, fill_interval: 3600s}}
"""


@pytest.fixture(scope="module")
def sidecar_ip(
    envoy: Path, secrets: dict[str, Resource], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    own = loopback_prefix()
    with ExitStack() as stack:
        echo = builders.replica("echo", "v1", f"{own}.1", backend=serve_echo(stack, f"{own}.2"))
        parts = sidecar_parts(envoy_filter(LOCAL_LIMIT), replicas=(echo,))
        folder = tmp_path_factory.mktemp("envoy")
        config = static_bootstrap(parts, secrets, admin=str(folder / "admin.sock"))
        start_envoy(stack, envoy, folder, echo, config)
        yield echo.ip


def test_a_path_has_a_bucket_of_its_own_beside_that_of_all(sidecar_ip: str) -> None:
    scarce = [get(sidecar_ip, 8080, "/scarce")[0] for _ in range(5)]
    assert scarce == [200] * 3 + [429] * 2
    others = [get(sidecar_ip, 8080, f"/{number}")[0] for number in range(9)]
    assert others[0] == 200
    assert others[-1] == 429
    assert others == sorted(others), "each path takes from one bucket"
