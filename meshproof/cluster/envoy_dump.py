"""What the Envoy of a pod holds (``config_dump?include_eds``), as ``explain`` reads it. Pure.

Istio's sidecars have one listener for all incoming connections, and the gateway's listen at the
target ports of its Service. Here each port of a pod has a listener of its own with the chains that
are for it, and the gateway's bear the Service's ports, as on the embedded mesh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshproof.cluster.kubectl import Json
from meshproof.cluster.pods import Pod
from meshproof.explain import Proxy
from meshproof.istio_names import TRUST_DOMAIN, is_inbound

_VIRTUAL_INBOUND = "virtualInbound"
_INBOUND_PORT = 15006
_APP = {"endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": "/app"}}}}]}]}
"""The one endpoint of a sidecar's inbound cluster: Envoy goes on to the original destination."""


def proxy_of(pod: Pod, workload: str, dump: Json, ports: Mapping[int, Iterable[int]]) -> Proxy:
    """``workload`` is ``namespace/name``; ``ports`` are a gateway's: target port -> those of its
    Service."""
    listeners = _resources(dump, "ListenersConfigDump", "listener")
    clusters = _resources(dump, "ClustersConfigDump", "cluster")
    routes = _resources(dump, "RoutesConfigDump", "route_config")
    endpoints = _resources(dump, "EndpointsConfigDump", "endpoint_config", "cluster_name")
    own = _gateway_listeners(listeners, ports) if pod.gateway else _inbound(pod, listeners)
    return Proxy(
        name=pod.name,
        namespace=pod.namespace,
        workload=workload,
        identity=f"spiffe://{TRUST_DOMAIN}/ns/{pod.namespace}/sa/{pod.service_account}",
        ip=pod.address,
        clusters={n: {**c, "load_assignment": _APP} if is_inbound(n) else c
                  for n, c in clusters.items()},
        endpoints=endpoints,
        listeners=own if pod.gateway else {**listeners, **own},
        routes=routes,
        version=pod.labels.get("version", ""),
        app=pod.labels.get("app", ""),
        gateway=pod.gateway,
    )  # fmt: skip


def _resources(dump: Json, part: str, kind: str, key: str = "name") -> dict[str, Json]:
    """The resources that Envoy uses now, static ones too, by name."""
    resources: dict[str, Json] = {}
    for config in dump["configs"]:
        if not config["@type"].endswith(f".{part}"):
            continue
        for entries in config.values():
            for entry in entries if isinstance(entries, list) else ():
                resource = (entry.get("active_state") or entry).get(kind)
                if resource is not None and resource.get(key):
                    resources[resource[key]] = resource
    return resources


def _inbound(pod: Pod, listeners: Mapping[str, Json]) -> dict[str, Json]:
    """A listener for each port that has chains of its own."""
    by_port: dict[int, list[Json]] = {}
    for chain in listeners.get(_VIRTUAL_INBOUND, {}).get("filter_chains", ()):
        port = chain.get("filter_chain_match", {}).get("destination_port")
        if port is not None and port != _INBOUND_PORT:
            by_port.setdefault(port, []).append(chain)
    return {
        f"inbound_{port}": {
            "name": f"inbound_{port}",
            "address": {"socket_address": {"address": pod.address, "port_value": port}},
            "filter_chains": chains,
        }
        for port, chains in by_port.items()
    }


def _gateway_listeners(
    listeners: Mapping[str, Json], ports: Mapping[int, Iterable[int]]
) -> dict[str, Json]:
    return {
        f"http.{port}": listener
        for listener in listeners.values()
        for port in ports.get(_port(listener), ())
    }


def _port(listener: Json) -> int:
    return int(listener.get("address", {}).get("socket_address", {}).get("port_value", 0))


def endpoint_addresses(proxy: Proxy) -> Iterator[tuple[str, int]]:
    """Of all that a proxy may connect to by EDS, or by an assignment of a cluster's own."""
    assignments: list[Any] = [*proxy.endpoints.values()]
    assignments += [c["load_assignment"] for c in proxy.clusters.values() if "load_assignment" in c]
    for assignment in assignments:
        for group in assignment.get("endpoints", ()):
            for entry in group.get("lb_endpoints", ()):
                address = entry["endpoint"]["address"].get("socket_address")
                if address:
                    yield (address["address"], int(address["port_value"]))
