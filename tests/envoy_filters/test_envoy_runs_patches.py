"""A real sidecar with patches: Lua changes answers, a rate limit service decides on requests."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from concurrent import futures
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from envoy.service.ratelimit.v3 import rls_pb2

from meshproof.translate.world import Address, Resource
from tests.envoy_filters.patch_builders import BEFORE_ROUTER, envoy_filter, lua, sidecar_parts
from tests.envoy_filters.test_envoy_takes_patches import GLOBAL_LIMIT
from tests.fakes.until import until
from tests.translate import builders
from tests.translate.conftest import envoy, secrets
from tests.translate.envoy_process import loopback_prefix, serve_echo, start_envoy
from tests.translate.static_bootstrap import static_bootstrap

__all__ = ["envoy", "secrets"]


def _serve_limits(stack: ExitStack, ip: str, questions: list[str]) -> Address:
    """A rate limit service whose only limit is on the path /much."""

    def decide(request: Any, _context: object) -> Any:
        (entry,) = request.descriptors[0].entries
        questions.append(f"{request.domain} {entry.key}={entry.value}")
        over = entry.value == "/much"
        code = rls_pb2.RateLimitResponse.OVER_LIMIT if over else rls_pb2.RateLimitResponse.OK
        return rls_pb2.RateLimitResponse(overall_code=code)

    server = grpc.server(futures.ThreadPoolExecutor(2))
    method = grpc.unary_unary_rpc_method_handler(
        decide,
        request_deserializer=rls_pb2.RateLimitRequest.FromString,
        response_serializer=rls_pb2.RateLimitResponse.SerializeToString,
    )
    name = "envoy.service.ratelimit.v3.RateLimitService"
    handler = grpc.method_handlers_generic_handler(name, {"ShouldRateLimit": method})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port(f"{ip}:0")
    server.start()
    stack.callback(server.stop, None)
    return Address(ip, port)


_TYPES = "type.googleapis.com/envoy.extensions.filters"
ADDED = f"""
- applyTo: LISTENER
  match: {{context: SIDECAR_INBOUND}}
  patch:
    operation: ADD
    value:
      name: added
      address: {{socket_address: {{address: 0.0.0.0, port_value: 8090}}}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": {_TYPES}.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: added
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes: [{{match: {{prefix: /}}, direct_response: {{status: 204}}}}]
                http_filters:
                  - name: tag
                    config_discovery: {{config_source: {{ads: {{}}}}, type_urls: [x]}}
                  - name: envoy.filters.http.router
                    typed_config: {{"@type": {_TYPES}.http.router.v3.Router}}
- applyTo: EXTENSION_CONFIG
  patch:
    operation: ADD
    value:
      name: tag
      typed_config:
        "@type": {_TYPES}.http.lua.v3.Lua
        default_source_code:
          inline_string: function envoy_on_response(h) h:headers():add("x-tag", "apart") end
"""


@pytest.fixture(scope="module")
def questions() -> list[str]:
    """What the rate limit service was asked."""
    return []


@pytest.fixture(scope="module")
def sidecar_ip(
    envoy: Path,
    secrets: dict[str, Resource],
    tmp_path_factory: pytest.TempPathFactory,
    questions: list[str],
) -> Iterator[str]:
    own = loopback_prefix()
    with ExitStack() as stack:
        echo = builders.replica("echo", "v1", f"{own}.1", backend=serve_echo(stack, f"{own}.2"))
        limits = builders.outside(
            "limits.test", {8081: _serve_limits(stack, f"{own}.3", questions)}
        )
        server = "address: limits.test, port_value: 8081"
        text = GLOBAL_LIMIT.replace("address: echo, port_value: 80", server)
        filters = (
            lua("INSERT_BEFORE", BEFORE_ROUTER),
            envoy_filter(text, "limits"),
            envoy_filter(ADDED, "added"),
        )
        parts = sidecar_parts(*filters, replicas=(echo,), outside=(limits,))
        folder = tmp_path_factory.mktemp("envoy")
        config = static_bootstrap(parts, secrets, admin=str(folder / "admin.sock"))
        start_envoy(stack, envoy, folder, echo, config)
        until(lambda: _get(echo.ip, "/first").status == 200, "the rate limit service answers")
        yield echo.ip


def _get(ip: str, path: str, port: int = 8080) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(ip, port, timeout=300)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_lua_changes_the_answer_of_a_request_that_passes(sidecar_ip: str) -> None:
    response = _get(sidecar_ip, "/little")
    assert response.status == 200
    assert response.headers["x-lua"] == "yes"


def test_the_service_is_asked_and_its_answer_counts(sidecar_ip: str, questions: list[str]) -> None:
    questions.clear()
    assert _get(sidecar_ip, "/little").status == 200
    assert _get(sidecar_ip, "/much").status == 429
    assert questions == ["shop p=/little", "shop p=/much"]


def test_a_listener_is_added_at_the_sidecar_with_a_filter_that_is_configured_apart(
    sidecar_ip: str,
) -> None:
    response = _get(sidecar_ip, "/", 8090)
    assert (response.status, response.headers["x-tag"]) == (204, "apart")
