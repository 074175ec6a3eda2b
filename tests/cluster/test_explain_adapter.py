"""``explain`` on a cluster goes by what each Envoy's dump says.

The dump has the shape of a real one of Istio 1.29 (listeners and clusters of a demo's svca, less
what does not decide): its sidecars speak mutual TLS by default, and take plain text as well."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meshproof.cluster.dry_run.fake_kubernetes import FakeKubernetes
from meshproof.cluster.mesh import ClusterMesh
from meshproof.control.routes.explain import SupportsExplain
from meshproof.errors import UsageError
from meshproof.explain import Explanation
from tests.fakes.cluster_machine import Machine

Json = dict[str, Any]
HALF = {"payments/svcb-v0.1 v0.1": 0.5, "payments/svcb-v0.2 v0.2": 0.5}
HOST = "svcb.payments.svc.cluster.local"
_TYPE = "type.googleapis.com/envoy."
_HCM = f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_TCP = f"{_TYPE}extensions.filters.network.tcp_proxy.v3.TcpProxy"
_HTTP_FILTERS = [
    {
        "name": "envoy.filters.http.grpc_stats",
        "typed_config": {"@type": f"{_TYPE}extensions.filters.http.grpc_stats.v3.FilterConfig"},
    },
    {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{_TYPE}extensions.filters.http.router.v3.Router"},
    },
]


_TLS = {
    "name": "envoy.transport_sockets.tls",
    "typed_config": {
        "@type": f"{_TYPE}extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
    },
}
_MUTUAL = {
    "name": "tlsMode-istio",
    "match": {"tlsMode": "istio"},
    "transport_socket": {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TYPE}extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["istio"],
                "tls_certificate_sds_secret_configs": [{"name": "default"}],
                "combined_validation_context": {
                    "default_validation_context": {
                        "match_subject_alt_names": [
                            {"exact": "spiffe://cluster.local/ns/payments/sa/svcb"}
                        ]
                    }
                },
            },
            "sni": f"outbound_.80_._.{HOST}",
        },
    },
}
_PLAIN = {
    "name": "tlsMode-disabled",
    "match": {},
    "transport_socket": {"name": "envoy.transport_sockets.raw_buffer"},
}
_ISTIO_PROTOCOLS = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"]
_INSPECTOR = {
    "name": "envoy.filters.listener.tls_inspector",
    "filter_disabled": {"destination_port_range": {"start": 15006, "end": 15007}},
}


def http_chain(match: Json, **routes: Json) -> Json:
    config = {"@type": _HCM, "http_filters": _HTTP_FILTERS, **routes}
    return {"filter_chain_match": match, "filters": [{"name": "hcm", "typed_config": config}]}


def tcp_chain(cluster: str, match: Json | None = None) -> Json:
    config = {"@type": _TCP, "cluster": cluster}
    chain: Json = {"filters": [{"name": "tcp", "typed_config": config}]}
    return {"filter_chain_match": match, **chain} if match else chain


def listener(name: str, port: int, *chains: Json, **fields: Any) -> Json:
    address = {"socket_address": {"address": "0.0.0.0", "port_value": port}}
    whole = {"name": name, "address": address, "filter_chains": list(chains), **fields}
    return {"name": name, "active_state": {"listener": whole}}


def table(name: str, *hosts: Json) -> Json:
    return {"route_config": {"name": name, "virtual_hosts": list(hosts)}}


def host(name: str, domain: str, **action: Any) -> Json:
    return {
        "name": name,
        "domains": [domain],
        "routes": [{"match": {"prefix": "/"}, "route": action}],
    }


def dump(listeners: list[Json], routes: list[Json], addresses: list[str]) -> Json:
    outbound = f"outbound|80||{HOST}"
    members = [
        {
            "endpoint": {"address": {"socket_address": {"address": ip, "port_value": 8080}}},
            "health_status": "HEALTHY",
            "metadata": {"filter_metadata": {"envoy.transport_socket_match": {"tlsMode": "istio"}}},
        }
        for ip in addresses
    ]
    assignment = {"cluster_name": outbound, "endpoints": [{"lb_endpoints": members}]}
    clusters = [
        {
            "cluster": {
                "name": outbound,
                "type": "EDS",
                "transport_socket_matches": [_MUTUAL, _PLAIN],
            }
        },
        {"cluster": {"name": "inbound|8080||", "type": "ORIGINAL_DST"}},
    ]
    parts: dict[str, Json] = {
        "ListenersConfigDump": {"dynamic_listeners": listeners},
        "ClustersConfigDump": {"dynamic_active_clusters": clusters},
        "RoutesConfigDump": {"dynamic_route_configs": routes},
        "EndpointsConfigDump": {"dynamic_endpoint_configs": [{"endpoint_config": assignment}]},
    }
    return {"configs": [{"@type": f"{_TYPE}admin.v3.{k}", **v} for k, v in parts.items()]}


def sidecar(addresses: list[str]) -> Json:
    capture = {"transport_protocol": "raw_buffer", "application_protocols": ["http/1.1", "h2c"]}
    inbound = host("inbound|http|80", "*", cluster="inbound|8080||")
    inbound_routes = {"name": "inbound|8080||", "virtual_hosts": [inbound]}
    listeners = [
        listener(
            "0.0.0.0_80",
            80,
            http_chain(capture, rds={"route_config_name": "80"}),
            bind_to_port=False,
            default_filter_chain=tcp_chain("BlackHoleCluster"),
        ),
        listener(
            "virtualOutbound",
            15001,
            tcp_chain("BlackHoleCluster", {"destination_port": 15001}),
            tcp_chain("BlackHoleCluster"),
        ),
        listener(
            "virtualInbound",
            15006,
            tcp_chain("BlackHoleCluster", {"destination_port": 15006}),
            tcp_chain("InboundPassthroughCluster", {"transport_protocol": "raw_buffer"}),
            {
                **http_chain(
                    {
                        "destination_port": 8080,
                        "transport_protocol": "tls",
                        "application_protocols": _ISTIO_PROTOCOLS,
                    },
                    route_config=inbound_routes,
                ),
                "transport_socket": _TLS,
            },
            http_chain(
                {"destination_port": 8080, "transport_protocol": "raw_buffer"},
                route_config=inbound_routes,
            ),
            listener_filters=[_INSPECTOR],
        ),
    ]
    return dump(
        listeners,
        [table("80", host(f"{HOST}:80", "svcb", cluster=f"outbound|80||{HOST}"))],
        addresses,
    )


def gateway(addresses: list[str]) -> Json:
    chain = http_chain({}, rds={"route_config_name": "http.8080"})
    routes = table("http.8080", host("*:80", "*", cluster=f"outbound|80||{HOST}"))
    return dump([listener("0.0.0.0_8080", 8080, chain)], [routes], addresses)


class _Dumping(FakeKubernetes):
    addresses: list[str]

    def admin(self, namespace: str, pod: str, path: str) -> str:
        if path != "config_dump?include_eds":
            return super().admin(namespace, pod, path)
        whole = gateway if "ingressgateway" in pod else sidecar
        return json.dumps(whole(self.addresses))


@pytest.fixture
def dumping(machine: Machine, cluster: ClusterMesh) -> ClusterMesh:
    kube = _Dumping()
    kube.objects = machine.kube.objects
    name = "istio-ingressgateway"
    ports = [{"port": 80, "targetPort": 8080}]
    kube.objects["Service", "istio-system", name] = {
        "kind": "Service",
        "metadata": {"name": name, "namespace": "istio-system", "labels": {"istio": "ingress"}},
        "spec": {"selector": {"istio": "ingressgateway"}, "ports": ports, "clusterIP": "10.96.0.7"},
    }
    svcb = kube.objects["Service", "payments", "svcb"]
    kube.objects["Service", "payments", "svcb"] = {
        **svcb,
        "spec": {**svcb["spec"], "clusterIP": "10.96.0.9"},
    }
    machine.kube = kube
    kube.addresses = [r.address for r in cluster.status().replicas if "svcb" in r.name]
    return cluster


def shares(explanation: Explanation) -> dict[str, float]:
    return {outcome.responder: chance for chance, outcome in explanation.outcomes()}


def test_a_call_is_captured_and_reaches_both_versions(dumping: ClusterMesh) -> None:
    assert isinstance(dumping, SupportsExplain)
    for name in ("svcb", "svcb.payments", HOST):
        explanation = dumping.explain("svca", f"http://{name}/notify", headers=[("host", "svcb")])
        assert shares(explanation) == pytest.approx(HALF)


def test_the_gateway_listens_at_its_services_port(dumping: ClusterMesh) -> None:
    assert shares(dumping.explain("gateway", "http://shop.test/pay")) == pytest.approx(HALF)
    with pytest.raises(UsageError, match="does not listen at port 81; it has 80"):
        dumping.explain("gateway", "http://shop.test:81/pay")


def test_what_no_listener_takes_is_closed(dumping: ClusterMesh) -> None:
    (outcome,) = (o for _, o in dumping.explain("svca", "http://10.100.35.27:9997/").outcomes())
    assert outcome.kind == "closed"
    assert "no rule opens 10.100.35.27:9997" in outcome.why


def test_a_network_fault_is_on_the_way_of_its_caller_alone(dumping: ClusterMesh) -> None:
    dumping.fault("refuse", "svcb-v0.2", source="svca")
    kinds = {o.kind: c for c, o in dumping.explain("svca", "http://svcb/").outcomes()}
    assert kinds == {"app": pytest.approx(0.5), "mesh": pytest.approx(0.5)}
    others = dumping.explain("svcb-v0.1", "http://svcb/").outcomes()
    assert {o.kind for _, o in others} == {"app"}
