"""Worlds of pods for tests, and their parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from meshproof.model.pod_network import Addresses
from meshproof.translate.envoy_config import build_outbound, build_sidecar
from meshproof.translate.world import (
    Address,
    Config,
    ContainerPort,
    Outside,
    Protocol,
    Replica,
    Service,
    ServicePort,
    World,
)
from tests.translate import builders

ADDRESSES = Addresses()
BANK = Outside(
    "bank.test", {443: Address("127.0.0.1", 4430), 80: Address("127.0.0.1", 8000)},
    {443: "/run/o0:443", 80: "/run/o0:80"},
)  # fmt: skip


def service(
    name: str,
    port: int = 80,
    protocol: Protocol = "HTTP",
    *,
    sniffed: bool = False,
    headless: bool = False,
) -> Service:
    """Selects ``app: echo``; its targetPort is 8080."""
    return Service(
        name,
        "default",
        {"app": "echo"},
        (ServicePort("p", port, 8080, protocol, None if sniffed else False),),
        cluster_ip="" if headless else ADDRESSES.cluster_ip("default", name),
        headless=headless,
    )


def pod(app: str, version: str, ip: str) -> Replica:
    pipe = f"/run/i{ip}:8080"
    port = ContainerPort("http", 8080, Address(ip, 8080), Address(ip, 8080), pipe)
    return replace(builders.replica(app, version, ip), ports=(port,), probe=f"/run/p{ip}")


ECHO = (pod("echo", "v1", "127.60.1.1"), pod("echo", "v2", "127.60.1.2"))
CLIENT = pod("client", "v1", "127.60.1.3")


def world(**parts: Any) -> World:
    defaults = {
        "services": (service("echo"),),
        "replicas": (*ECHO, CLIENT),
        "outside": (BANK,),
        "pods": True,
        "addresses": {"bank.test": ADDRESSES.outside("bank.test")},
    }
    return World(**{**defaults, **parts})


def sidecar(mesh: World, replica: Replica = CLIENT) -> Any:
    """Everything that a pod's Envoy has."""
    shared, own = build_outbound(mesh, builders.proxy(replica)), build_sidecar(mesh, replica)
    return Config(
        {**shared.clusters, **own.clusters},
        shared.endpoints,
        own.listeners,
        {**shared.routes, **own.routes},
    )


def chains(listener: Any) -> list[dict[str, Any]]:
    """Of a listener, the one for everything else last."""
    last = listener.get("default_filter_chain")
    return [*listener["filter_chains"], *([last] if last else [])]


def target(chain: dict[str, Any]) -> str:
    """The cluster, clusters or route table that a chain leads to."""
    config = chain["filters"][-1]["typed_config"]
    if "rds" in config:
        return f"routes {config['rds']['route_config_name']}"
    if "weighted_clusters" in config:
        return " ".join(
            f"{c['name']}={c['weight']}" for c in config["weighted_clusters"]["clusters"]
        )
    return str(config["cluster"])


def targets(mesh: World, listener: str, replica: Replica = CLIENT) -> list[tuple[Any, str]]:
    """What each chain of a listener matches, and where it leads."""
    config = sidecar(mesh, replica).listeners[listener]
    return [(chain.get("filter_chain_match", {}), target(chain)) for chain in chains(config)]
