"""A real Envoy accepts the configuration of a world that uses every field of every rule."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from meshproof.gateway_api.convert import convert_virtual_services
from meshproof.model import (
    destination_rule,
    http_route,
    http_route_filters,
    http_route_references,
    service_entry,
    virtual_service,
)
from meshproof.model.base_model import Model
from meshproof.model.destination_rule_tls import ClientTLSSettings
from meshproof.model.gateway import Gateway
from meshproof.model.reader import read_text
from meshproof.translate.envoy_config import build_gateway, build_outbound, build_sidecar, proxy_of
from meshproof.translate.world import (
    Address,
    Config,
    Named,
    Outside,
    Resource,
    TlsSecret,
    World,
)
from tests.translate import builders, pod_builders
from tests.translate.static_bootstrap import static_bootstrap

EVERYTHING = Path(__file__).with_name("everything.yaml")
HTTP_ROUTES = Path(__file__).parent.parent / "gateway_api" / "everything.yaml"

_ELSEWHERE = (Model, ClientTLSSettings)
"""What names files that must exist has tests of its own."""

KNOWN = "envoy.extensions.access_loggers.stats.v3.Config.stat_prefix"
"""Deprecated by Envoy 1.40; its successor is not in the protobuf classes that we have."""

_MODELS: dict[str, type[Model]] = {
    "VirtualService": virtual_service.VirtualService,
    "DestinationRule": destination_rule.DestinationRule,
    "ServiceEntry": service_entry.ServiceEntry,
    "Gateway": Gateway,
}


def _rules(kind: str) -> tuple[Named[Any], ...]:
    documents = yaml.safe_load_all(EVERYTHING.read_text())
    return tuple(
        Named(d["name"], "default", _MODELS[kind].model_validate(d["spec"]))
        for d in documents
        if d["kind"] == kind
    )


def _http_routes() -> tuple[Named[Any], ...]:
    resources = read_text(HTTP_ROUTES.read_text(), "everything.yaml")
    entry = """
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: msgd, namespace: default}
        spec: {hosts: [msgd.test], resolution: DNS, ports: [{number: 443, name: https}]}
    """
    services = [builders.service("echo"), builders.service("other")]
    result = convert_virtual_services([*read_text(entry, "entry.yaml"), *resources], services)
    assert len(result) == 2, "a Service and a ServiceEntry are its parents"
    return result


def _certificates(secrets: dict[str, Any]) -> tuple[TlsSecret, ...]:
    pair = secrets["default"]["tls_certificate"]
    chain, key = (pair[n]["inline_string"] for n in ("certificate_chain", "private_key"))
    return tuple(TlsSecret(n, "istio-system", chain, key) for n in ("shop", "rest"))


@pytest.fixture(scope="module")
def everything(secrets: dict[str, Resource]) -> World:
    real = Address("127.60.9.1", 19997)
    return builders.world(
        services=(
            builders.service("echo"),
            builders.service("other", ports=(80, 8080)),
            builders.service("db", ports=(5432,), protocol="TCP"),
        ),
        replicas=(*builders.ECHO, builders.replica("db", "v1", "127.60.0.9")),
        outside=(Outside("msgd.test", {443: real, 9997: real}), Outside("10.1.2.3", {80: real})),
        virtual_services=(*_rules("VirtualService"), *_http_routes()),
        destination_rules=_rules("DestinationRule"),
        service_entries=_rules("ServiceEntry"),
        gateways=_rules("Gateway"),
        tls_secrets=_certificates(secrets),
    )


def _validate(
    envoy: Path, tmp_path: Path, configs: list[Config], secrets: dict[str, Resource]
) -> None:
    path = tmp_path / "envoy.json"
    path.write_text(json.dumps(static_bootstrap(configs, secrets)))
    done = subprocess.run(
        [envoy, "--mode", "validate", "-c", path, "--log-level", "warn"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    warned = [x for x in done.stderr.splitlines() if "deprecated" in x.lower()]
    assert [x for x in warned if KNOWN not in x] == []


@pytest.mark.parametrize(
    ("module", "file"),
    [
        (virtual_service, EVERYTHING),
        (http_route, HTTP_ROUTES),
        (http_route_filters, HTTP_ROUTES),
        (http_route_references, HTTP_ROUTES),
    ],
)
def test_every_rule_field_is_used(module: ModuleType, file: Path) -> None:
    """The world above is worth validating only as long as it leaves no field out."""
    text = file.read_text()
    missing = sorted(
        field.alias or name
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, Model) and model not in _ELSEWHERE
        for name, field in model.model_fields.items()
        if f"{field.alias or name}:" not in text
    )
    assert missing == []


def test_envoy_accepts_sidecars(
    envoy: Path, tmp_path: Path, everything: World, secrets: dict[str, Resource]
) -> None:
    for replica in everything.replicas:
        own = build_sidecar(everything, replica, access_log="/dev/null")
        shared = build_outbound(everything, builders.proxy(replica))
        _validate(envoy, tmp_path, [shared, own], secrets)


def test_envoy_accepts_a_gateway(
    envoy: Path, tmp_path: Path, everything: World, secrets: dict[str, Resource]
) -> None:
    own = build_gateway(
        everything, builders.GATEWAY, "127.60.1.1", {80: 18080, 443: 18443}, access_log="/dev/null"
    )
    shared = build_outbound(everything, builders.GATEWAY)
    _validate(envoy, tmp_path, [shared, own], secrets)


def test_envoy_accepts_sidecars_of_pods(
    envoy: Path, tmp_path: Path, everything: World, secrets: dict[str, Resource]
) -> None:
    services = (*everything.services, pod_builders.service("raw", 7000, sniffed=True))
    services += (pod_builders.service("headless", 8080, "TCP", headless=True),)
    pods = replace(
        everything,
        services=services,
        replicas=(*pod_builders.ECHO, pod_builders.CLIENT),
        outside=(pod_builders.BANK,),
        pods=True,
        addresses={"bank.test": "127.251.0.1"},
    )
    loner = replace(pod_builders.CLIENT, name="loner", sidecar=False)
    for replica in (*pods.replicas, loner):
        own = build_sidecar(pods, replica, access_log="/dev/null")
        _validate(envoy, tmp_path, [build_outbound(pods, proxy_of(replica)), own], secrets)
    own = build_gateway(pods, builders.GATEWAY, "127.60.1.1", {80: 18080, 443: 18443})
    _validate(envoy, tmp_path, [build_outbound(pods, builders.GATEWAY), own], secrets)
