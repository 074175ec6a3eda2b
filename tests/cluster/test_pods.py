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


def test_a_pod_on_a_node_that_has_stopped_says_so() -> None:
    """Kubernetes marks it unready and gives no reason; its containers stay ready."""
    (item,) = json.loads(recorded("kubectl", "svca's pod")[1])["items"]
    for condition in item["status"]["conditions"]:
        if condition["type"] == "Ready":
            condition["status"] = "False"
    (pod,) = parse_pods([item])
    assert pod.reason == "Ready: without a reason, as on a node that has stopped"
