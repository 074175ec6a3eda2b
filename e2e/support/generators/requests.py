"""Rules and requests drawn at random, for ``test_explain``: all that decides what happens to one
request, in the mesh of conformance/. Pure: a ``Random`` in, YAML and requests out."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import yaml

from e2e.support.generators.policies import peers, policy
from e2e.support.generators.routes import for_gateway, http_route, named, out, virtual_service
from e2e.support.generators.vocabulary import (
    GATEWAY_HOSTS,
    HEADERS,
    HOSTS,
    METHODS,
    PATHS,
    QUERIES,
    VALUES,
    Json,
)

__all__ = ["Draw", "named", "requests", "rules"]
BASE: tuple[Json, ...] = (
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "echo", "namespace": "conf"},
        "spec": {
            "host": "echo",
            "subsets": [{"name": v, "labels": {"version": v}} for v in ("v1", "v2", "v3")],
        },
    },
    *(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"echo-{v}", "namespace": "conf"},
            "spec": {
                "selector": {"app": "echo", "version": v},
                "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
            },
        }
        for v in ("v1", "v2")
    ),
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gate", "namespace": "conf"},
        "spec": {
            "selector": {"istio": "ingressgateway"},
            "servers": [
                {
                    "port": {"number": 80, "name": "http", "protocol": "HTTP"},
                    "hosts": ["shop.test", "*.wild.test"],
                }
            ],
        },
    },
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "outside", "namespace": "conf"},
        "spec": {
            "hosts": ["outside.test"],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        },
    },
)


@dataclass(frozen=True, slots=True)
class Draw:
    """``sender`` is a workload or ``gateway``."""

    sender: str
    method: str
    host: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(default=())


def requests(rng: random.Random, count: int) -> list[Draw]:
    return [_request(rng) for _ in range(count)]


def _request(rng: random.Random) -> Draw:
    sender = rng.choice(("client", "client", "client", "intruder", "gateway"))
    hosts = GATEWAY_HOSTS if sender == "gateway" else HOSTS
    names = rng.sample(HEADERS, rng.choice((0, 0, 1, 1, 2)))
    headers = tuple((name, rng.choice(VALUES)) for name in names)
    if rng.random() < 0.1:
        headers += (("access-control-request-method", "GET"),)
    path = rng.choice(PATHS) + rng.choice(QUERIES)
    return Draw(sender, rng.choice(METHODS), rng.choice(hosts), path, headers)


def rules(rng: random.Random) -> str:
    """A set of rules, valid and all live together."""
    documents: list[Json] = list(BASE)
    documents.append(rng.choice((virtual_service, virtual_service, http_route))(rng))
    documents.append(for_gateway(rng))
    if rng.random() < 0.3:
        documents.append(out(rng))
    documents += [policy(rng, number) for number in range(rng.choice((0, 0, 1, 2)))]
    if rng.random() < 0.1:
        documents.append(peers(rng))
    return yaml.safe_dump_all(documents)
