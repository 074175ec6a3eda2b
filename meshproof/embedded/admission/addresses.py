"""Rules by destination address, which need pods: without them an app names a host. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.errors import Problem
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

_REMEDY = "run in pods (MESHPROOF_PODS=on or --pods), leave it out, or run on a cluster (MESH=kind)"


def find_by_address(resources: Iterable[Resource]) -> Iterator[Problem]:
    """Each ``destinationSubnets``, and each range of addresses for a port that is not HTTP."""
    for resource in resources:
        for path, reason in _places(resource):
            message = f"{reason}, and without pods no connection has an address"
            yield resource.problem(path, message, remedy=_REMEDY)


def _places(resource: Resource) -> Iterator[tuple[FieldPath, str]]:
    if resource.kind == "ServiceEntry" and not resource.spec.speaks_http:
        for index, address in resource.spec.ranges():
            yield ("spec", "addresses", index), f"{address} is a range of a port that is not HTTP"
    if resource.kind != "VirtualService":
        return
    for field in ("tls", "tcp"):
        for number, route in enumerate(getattr(resource.spec, field)):
            for index, match in enumerate(route.match):
                if match.destination_subnets:
                    path = ("spec", field, number, "match", index, "destinationSubnets")
                    yield path, "matches by address"
