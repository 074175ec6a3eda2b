"""Which gateways a mesh has, their files, and where their Services lead."""

from __future__ import annotations

import pytest

from meshproof.model.gateway import Gateway
from meshproof.model.reader import read_text
from meshproof.translate.from_kube import services_of
from meshproof.translate.gateway_workloads import (
    gateway_replica,
    gateway_workloads,
    server_ports,
)
from meshproof.translate.world import Named, Proxy, Service, ServicePort
from tests.translate import builders

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  selector: %s
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
"""
OWN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: %s}
spec:
  replicas: %d
  selector: {matchLabels: {door: own}}
  template:
    metadata: {labels: {door: own}%s}
    spec:
      serviceAccountName: doorman
      containers:
        - name: %s
          image: auto
          volumeMounts: [{name: certs, mountPath: /etc/door/}]
      volumes: [{name: certs, secret: {secretName: door, optional: true}}]
---
apiVersion: v1
kind: Secret
metadata: {name: door, namespace: shop}
stringData: {tls.crt: CHAIN}
---
"""
ANNOTATED = ", annotations: {inject.istio.io/templates: gateway}"


def workloads(text: str) -> dict[str, Proxy]:
    proxies = gateway_workloads(read_text(text, "f"))
    return {f"{p.namespace}/{p.workload}": p for p in proxies}


def test_the_ingress_gateway_is_always_there_and_the_egress_gateway_once_it_is_selected() -> None:
    ingress, egress = "istio-system/istio-ingressgateway", "istio-system/istio-egressgateway"
    assert list(workloads(GATEWAY % "{}")) == [ingress]
    assert list(workloads(GATEWAY % "{istio: egressgateway}")) == [ingress, egress]
    named = workloads(GATEWAY % "{app: istio-egressgateway, istio: egressgateway}")
    assert named[egress].service_account == "istio-egressgateway-service-account"


@pytest.mark.parametrize(("annotations", "container"), [(ANNOTATED, "main"), ("", "istio-proxy")])
def test_a_deployment_whose_pods_are_gateways(annotations: str, container: str) -> None:
    (_, own) = workloads(OWN % ("own", "shop", 2, annotations, container)).values()
    assert (own.labels, own.service_account) == ({"door": "own"}, "doorman")
    assert own.files == {"/etc/door/tls.crt": "CHAIN"}


def test_no_gateway_without_replicas_or_with_an_app() -> None:
    assert len(workloads(OWN % ("own", "shop", 0, ANNOTATED, "main"))) == 1
    assert len(workloads(OWN % ("own", "shop", 1, "", "main"))) == 1


def test_a_deployment_of_its_name_is_the_ingress_gateway() -> None:
    text = OWN % ("istio-ingressgateway", "istio-system", 1, ANNOTATED, "istio-proxy")
    (ingress,) = workloads(text).values()
    assert ingress.labels == {"door": "own"}


def test_secrets_that_istio_s_charts_mount() -> None:
    secret = """
apiVersion: v1
kind: Secret
metadata: {name: istio-ingressgateway-certs, namespace: istio-system}
stringData: {tls.crt: CHAIN}
"""
    (ingress,) = workloads(secret).values()
    assert ingress.files == {"/etc/istio/ingressgateway-certs/tls.crt": "CHAIN"}


def test_services_of_istio_s_gateways_exist_once_they_are_selected() -> None:
    def names(text: str) -> list[str]:
        return [s.fqdn for s in services_of(read_text(text, "f"))]

    assert names(GATEWAY % "{}") == []
    host = "istio-egressgateway.istio-system.svc.cluster.local"
    assert names(GATEWAY % "{istio: egressgateway}") == [host]
    declared = """
apiVersion: v1
kind: Service
metadata: {name: istio-egressgateway, namespace: istio-system}
spec: {selector: {a: b}, ports: [{port: 80}]}
"""
    assert names(GATEWAY % "{istio: egressgateway}" + declared) == [host]


PROXY = Proxy("gateway", "shop", "own", {"door": "own"}, "doorman")


def test_a_service_s_port_leads_to_the_server_of_its_number_else_of_its_target_port() -> None:
    ports = (
        ServicePort("http", 80, 8080, "HTTP"),
        ServicePort("alt", 8000, 9000, "HTTP"),
        ServicePort("named", 443, "https", "HTTPS"),
    )
    service = Service("own", "shop", {"door": "own"}, ports)
    bound = {80: 8080, 8080: 41000, 9000: 9000, 443: 8443}
    replica = gateway_replica(PROXY, "own", "127.0.0.9", bound, [service])
    targets = {(p.name or p.port): p.listen.port for p in replica.ports}
    assert targets[8080] == 8080, "port 80 of the Service, and of the Gateway"
    assert (targets[9000], targets["https"]) == (9000, 8443)
    assert replica.gateway


def test_the_ports_of_the_gateways_that_select_it() -> None:
    def gateway(selector: str, number: int) -> Named[Gateway]:
        server = f"{{port: {{number: {number}, protocol: HTTP}}, hosts: ['*']}}"
        return builders.gateway(f"{{selector: {selector}, servers: [{server}]}}")

    gateways = [gateway("{door: own}", 90), gateway("{}", 80), gateway("{door: other}", 70)]
    assert server_ports(gateways, PROXY) == [80, 90]
