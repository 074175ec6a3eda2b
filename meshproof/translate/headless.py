"""Headless Services in pods: a TCP connection goes to the pod whose address the client chose.

Istio's cluster sends it to its original destination, which in a pod would be captured once more.
Here the listener of a pod's address picks that pod among the endpoints of the Service.
"""

from __future__ import annotations

from meshproof.translate.proto import Json

_LB = "envoy.lb"
_KEY = "pod"


def select_pod(ip: str) -> Json:
    """The field of a TCP proxy that picks a pod; none without an address."""
    return {"metadata_match": {"filter_metadata": {_LB: {_KEY: ip}}}} if ip else {}


def label_pod(ip: str) -> Json:
    """The metadata of an endpoint by which it is picked."""
    return {_LB: {_KEY: ip}}


def selectable() -> Json:
    """The field of a cluster whose pods can be picked; whoever picks none gets any."""
    return {
        "lb_subset_config": {
            "fallback_policy": "ANY_ENDPOINT",
            "subset_selectors": [{"keys": [_KEY]}],
        }
    }
