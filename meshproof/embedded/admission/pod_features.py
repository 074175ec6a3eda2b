"""What needs pods: rules of connections' addresses, tunnels, and what pods exclude from their
sidecars. Without pods an app names the host in a tunnel of its own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.embedded.pod_mode import NEEDS_PODS
from meshproof.errors import Problem
from meshproof.model.capture import EVERYTHING, PREFIX, read_capture
from meshproof.model.kube_workloads import WORKLOADS, pod_metadata_path, template_of
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

_NO_ADDRESS = "and without pods no connection has an address"


def find_needing_pods(resources: Iterable[Resource]) -> Iterator[Problem]:
    """Each ``destinationSubnets``, each range of addresses for a port that is not HTTP, each
    ``tunnel``, and what a pod excludes from its sidecar."""
    for resource in resources:
        for path, message in _places(resource):
            yield resource.problem(path, message, remedy=NEEDS_PODS)


def _places(resource: Resource) -> Iterator[tuple[FieldPath, str]]:
    if resource.kind == "ServiceEntry" and not resource.spec.speaks_http:
        for index, address in resource.spec.ranges():
            reason = f"{address} is a range of a port that is not HTTP"
            yield ("spec", "addresses", index), f"{reason}, {_NO_ADDRESS}"
    if resource.kind == "VirtualService":
        yield from _subnets(resource)
    if resource.kind == "DestinationRule":
        yield from _tunnels(resource)
    if resource.kind in WORKLOADS:
        yield from _exclusions(resource)


def _exclusions(resource: Resource) -> Iterator[tuple[FieldPath, str]]:
    annotations = template_of(resource).metadata.annotations
    for name, value in annotations.items():
        if name.startswith(PREFIX) and read_capture({name: value}) != EVERYTHING:
            message = f'is "{value}", and without pods every call passes the sidecar'
            yield (*pod_metadata_path(resource), "annotations", name), message


def _subnets(resource: Resource) -> Iterator[tuple[FieldPath, str]]:
    for field in ("tls", "tcp"):
        for number, route in enumerate(getattr(resource.spec, field)):
            for index, match in enumerate(route.match):
                if match.destination_subnets:
                    path = ("spec", field, number, "match", index, "destinationSubnets")
                    yield path, f"matches by address, {_NO_ADDRESS}"


def _tunnels(resource: Resource) -> Iterator[tuple[FieldPath, str]]:
    spec = resource.spec
    subsets = ((("spec", "subsets", i), s.traffic_policy) for i, s in enumerate(spec.subsets))
    for path, policy in (("spec",), spec.traffic_policy), *subsets:
        if policy and policy.tunnel:
            message = "is a tunnel, and without pods the app opens its own"
            yield (*path, "trafficPolicy", "tunnel"), message
