"""What of a pod's connections its sidecar takes, by the annotations of the pod."""

from __future__ import annotations

import pytest

from meshproof.model.capture import EVERYTHING, PREFIX, read_capture
from meshproof.model.reader import read_text
from tests.model.conftest import Refusal

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations: {traffic.sidecar.istio.io/%s}
spec: {containers: [{name: a, image: a:1}]}
"""


def _takes(ip: str, port: int, **annotations: str) -> bool:
    return read_capture({PREFIX + k: v for k, v in annotations.items()}).takes_outbound(ip, port)


def test_without_annotations_all_is_taken() -> None:
    assert read_capture({}) == EVERYTHING
    assert EVERYTHING.takes_all_outbound
    assert EVERYTHING.takes_all_inbound
    assert EVERYTHING.takes_outbound("127.250.0.1", 80)


def test_ports_and_ranges_are_excluded() -> None:
    assert not _takes("127.250.0.1", 3306, excludeOutboundPorts="3306,6379")
    assert _takes("127.250.0.1", 80, excludeOutboundPorts="3306,6379")
    ranges = "127.250.0.2/24,169.254.169.254/32"
    assert not _takes("127.250.0.9", 80, excludeOutboundIPRanges=ranges)
    assert _takes("127.250.1.9", 80, excludeOutboundIPRanges=ranges)


def test_of_what_is_included_the_rest_is_not_taken() -> None:
    assert _takes("127.250.0.9", 80, includeOutboundIPRanges="127.250.0.0/24")
    assert not _takes("127.250.1.9", 80, includeOutboundIPRanges="127.250.0.0/24")
    assert not _takes("127.250.0.9", 80, includeOutboundIPRanges="")
    assert _takes("127.250.0.9", 80, includeOutboundIPRanges="", includeOutboundPorts="80")


def test_excluded_ports_come_before_all_else_and_excluded_ranges_before_included_ports() -> None:
    """As the rules of istio-iptables stand."""
    both = {"excludeOutboundPorts": "80", "includeOutboundPorts": "80"}
    assert not _takes("127.250.0.9", 80, **both)
    both = {"excludeOutboundIPRanges": "127.250.0.0/24", "includeOutboundPorts": "80"}
    assert not _takes("127.250.0.9", 80, **both)


def test_inbound_a_list_of_ports_leaves_exclusions_unasked() -> None:
    excluded = read_capture({PREFIX + "excludeInboundPorts": "9100"})
    assert [excluded.takes_inbound(p) for p in (80, 9100)] == [True, False]
    listed = read_capture(
        {PREFIX + "includeInboundPorts": "80", PREFIX + "excludeInboundPorts": "80"}
    )
    assert [listed.takes_inbound(p) for p in (80, 9100)] == [True, False]
    assert not read_capture({PREFIX + "includeInboundPorts": ""}).takes_inbound(80)


@pytest.mark.parametrize(
    "annotation",
    [
        "excludeOutboundPorts: '3306, 80'",
        "includeOutboundIPRanges: '*'",
        "excludeOutboundIPRanges: '10.96.0.2/24,fd00::/8'",
        "includeInboundPorts: ''",
    ],
)
def test_what_istio_takes(annotation: str) -> None:
    (resource,) = read_text(POD % annotation, "f.yaml")
    assert resource.name == "a"


@pytest.mark.parametrize(
    ("annotation", "wanted"),
    [
        ("excludeOutboundPorts: bad", "ports, with commas"),
        ("excludeInboundPorts: '*'", "ports, with commas"),
        ("excludeInboundPorts: '70000'", "ports, with commas"),
        ("excludeOutboundIPRanges: '*'", "ranges as 10.0.0.0/8"),
        ("includeOutboundIPRanges: 10.0.0.1", "ranges as 10.0.0.0/8, or *"),
    ],
)
def test_what_istio_s_webhook_refuses(refusal: Refusal, annotation: str, wanted: str) -> None:
    (line,) = refusal(POD % annotation)
    name, value = annotation.split(": ")
    value = value.strip("'")
    assert line.startswith("f.yaml:5: Pod a: metadata.annotations.")
    assert line.endswith(f'{PREFIX}{name}: is "{value}"; wanted {wanted}')
