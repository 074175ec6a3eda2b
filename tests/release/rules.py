"""Rules in force as a mesh gives them, for the tests of releases."""

from __future__ import annotations

from typing import Any


def virtual_service(*route: dict[str, Any], **more: Any) -> dict[str, Any]:
    """svcb's, with one http route of these destinations."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "svcb-rule", "namespace": "payments"},
        "spec": {"hosts": ["svcb"], "http": [{"route": list(route), **more}]},
    }


def destination_rule(*versions: str) -> dict[str, Any]:
    """svcb's, with a subset for each version: ``one``, ``two``, ..."""
    names = ("one", "two", "three")
    subsets = [
        {"name": name, "labels": {"version": version}}
        for name, version in zip(names, versions, strict=False)
    ]
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "svcb-versions", "namespace": "payments"},
        "spec": {"host": "svcb.payments.svc.cluster.local", "subsets": subsets},
    }


def to(subset: str, weight: int | None = None, host: str = "svcb") -> dict[str, Any]:
    destination = {"destination": {"host": host, "subset": subset}}
    return destination if weight is None else {**destination, "weight": weight}
