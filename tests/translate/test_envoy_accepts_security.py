"""A real Envoy accepts every field of security, Sidecar and Telemetry rules."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.model import (
    authorization_policy,
    destination_rule,
    peer_authentication,
    request_authentication,
    sidecar,
    telemetry,
    workload_selector,
)
from meshproof.model.base_model import Model
from meshproof.model.mesh_config import MeshConfig
from meshproof.translate.envoy_config import build_gateway, build_outbound
from meshproof.translate.envoy_config import build_sidecar as sidecar_of
from meshproof.translate.world import Address, Config, Named, Outside, Proxy, Resource, World
from tests.translate import builders
from tests.translate.policy_builders import MODELS
from tests.translate.static_bootstrap import static_bootstrap

RULES = Path(__file__).with_name("security.yaml")
_ALL: dict[str, type[Model]] = {**MODELS, "DestinationRule": destination_rule.DestinationRule}
_FIELDS = {
    "peer_authentications": "PeerAuthentication",
    "authorization_policies": "AuthorizationPolicy",
    "request_authentications": "RequestAuthentication",
    "sidecars": "Sidecar",
    "telemetries": "Telemetry",
    "destination_rules": "DestinationRule",
}


def _rules(kind: str, namespace: str) -> tuple[Named[Any], ...]:
    documents = yaml.safe_load_all(RULES.read_text())
    return tuple(
        Named(d["name"], namespace, _ALL[kind].model_validate(d["spec"]))
        for d in documents
        if d["kind"] == kind
    )


def _world(namespace: str = "default") -> World:
    real = Address("127.60.9.1", 18081)
    return builders.world(
        services=(
            builders.service("echo"),
            builders.service("other"),
            builders.service("db", ports=(5432,), protocol="TCP"),
        ),
        replicas=(*builders.ECHO, builders.replica("db", "v1", "127.60.0.9")),
        outside=(Outside("keys.test", {81: real}), Outside("m.test", {80: real, 443: real})),
        mesh=MeshConfig.model_validate({"extensionProviders": PROVIDERS}),
        **{field: _rules(kind, namespace) for field, kind in _FIELDS.items()},
    )


_AUTHZ = """
envoyExtAuthzHttp:
  service: other.default.svc.cluster.local
  port: 80
  timeout: 1s
  pathPrefix: /check
  failOpen: true
  clearRouteCache: true
  statusOnError: "503"
  includeRequestHeadersInCheck: [x-a, "x-b*", "*-c"]
  includeAdditionalHeadersInCheck: {x-more: "%REQ(:path)%"}
  includeRequestBodyInCheck: {maxRequestBytes: 10, allowPartialMessage: true, packAsBytes: true}
  headersToUpstreamOnAllow: [x-up]
  headersToDownstreamOnDeny: [x-no]
  headersToDownstreamOnAllow: [x-yes]
"""
_OTHER = "service: other.default.svc.cluster.local, port: 80"
_REPORTS = f"""
- name: zipkin
  zipkin: {{{_OTHER}, maxTagLength: 9, headers: [{{name: x-a, value: b}}]}}
- name: otel
  opentelemetry: {{{_OTHER}, http: {{path: /v1/traces, timeout: 1s}}}}
- name: text
  envoyFileAccessLog:
    path: /dev/stdout
    omitEmptyValues: true
- name: json
  envoyFileAccessLog:
    path: /dev/stdout
    logFormat: {{labels: {{path: "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%"}}}}
- name: als
  envoyOtelAls: {{{_OTHER}, logName: mine, logFormat: {{labels: {{a: "%PROTOCOL%"}}}}}}
"""
PROVIDERS = [{"name": "authz", **yaml.safe_load(_AUTHZ)}, *yaml.safe_load(_REPORTS)]


def _accepted(
    envoy: Path, tmp_path: Path, configs: list[Config], secrets: dict[str, Resource]
) -> None:
    path = tmp_path / "envoy.json"
    path.write_text(json.dumps(static_bootstrap(configs, secrets)))
    command = [str(envoy), "--mode", "validate", "-c", str(path), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "module",
    [
        peer_authentication,
        authorization_policy,
        request_authentication,
        workload_selector,
        sidecar,
        telemetry,
    ],
)
def test_every_field_is_used(module: Any) -> None:
    """The rules below are worth validating only as long as they leave no field out."""
    text = RULES.read_text().replace('"@type"', "@type")
    missing = sorted(
        field.alias or name
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, Model) and model is not Model
        for name, field in model.model_fields.items()
        if f"{field.alias or name}:" not in text
    )
    assert missing == []


@pytest.mark.parametrize("index", [0, 2], ids=["http", "bytes"])
def test_envoy_accepts_a_sidecar(
    envoy: Path, tmp_path: Path, secrets: dict[str, Resource], index: int
) -> None:
    mesh = _world()
    me = mesh.replicas[index]
    configs = [
        build_outbound(mesh, builders.proxy(me)),
        sidecar_of(mesh, me, access_log="/dev/null"),
    ]
    _accepted(envoy, tmp_path, configs, secrets)


def test_envoy_accepts_a_gateway(envoy: Path, tmp_path: Path, secrets: dict[str, Resource]) -> None:
    mesh = _world("istio-system")
    proxy = Proxy("gateway", "istio-system", "gw", {"app": "echo"}, "gw")
    server = "{servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}"
    mesh = World(**{**vars(mesh), "gateways": (builders.gateway(server),)})
    own = build_gateway(mesh, proxy, "127.60.1.1", {80: 18080}, access_log="/dev/null")
    _accepted(envoy, tmp_path, [build_outbound(mesh, proxy), own], secrets)


@pytest.mark.parametrize("more", ["", "sni: a.test, subjectAltNames: [a.test, 'spiffe://a/b'], "])
def test_envoy_accepts_tls_of_the_outside_world(
    envoy: Path, tmp_path: Path, secrets: dict[str, Resource], more: str
) -> None:
    pair: Any = secrets["default"]["tls_certificate"]
    files = {"clientCertificate": "certificate_chain", "privateKey": "private_key"}
    paths = {field: tmp_path / f"{part}.pem" for field, part in files.items()}
    for field, part in files.items():
        paths[field].write_text(pair[part]["inline_string"])
    written = ", ".join(f"{field}: {path}" for field, path in paths.items())
    tls = f"{{mode: MUTUAL, {more}{written}, caCertificates: {paths['clientCertificate']}}}"
    rules = (builders.destination_rule(f"{{host: echo, trafficPolicy: {{tls: {tls}}}}}"),)
    config = build_outbound(builders.world(destination_rules=rules), builders.CLIENT)
    cluster: Any = config.clusters["outbound|80||echo.default.svc.cluster.local"]
    assert "tls_certificates" in cluster["transport_socket"]["typed_config"]["common_tls_context"]
    _accepted(envoy, tmp_path, [config], secrets)
