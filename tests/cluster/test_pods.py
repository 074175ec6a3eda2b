"""Pods are parsed from what kubectl prints."""

from __future__ import annotations

import json

from meshproof.cluster.pods import parse_pods
from tests.fakes.cluster_machine import recorded


def test_a_recorded_pod_has_a_native_sidecar() -> None:
    output = recorded("kubectl", "svca's pod")
    (pod,) = parse_pods(json.loads(output[1])["items"])
    assert (pod.meshed, pod.ready, pod.ending, pod.container) == (True, True, False, "svca")
    assert pod.address.startswith("10.244.")
