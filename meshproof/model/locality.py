"""Where a workload runs, as region/zone/subzone.

Istio reads it of a pod's node, or of a label of the pod, which wins. There are no nodes here, so a
pod has the locality of its label, or none (pkg/model/proxy.go, GetLocalityLabel).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

LABELS = ("topology.istio.io/locality", "istio-locality")
"""Of pods and WorkloadEntries; the first that is there holds."""
REGION = "topology.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
SUBZONE = "topology.istio.io/subzone"
NODE = "kubernetes.io/hostname"
NETWORK = "topology.istio.io/network"


class Locality(NamedTuple):
    """Each part is empty if nothing is known of it."""

    region: str = ""
    zone: str = ""
    subzone: str = ""

    @classmethod
    def parse(cls, text: str) -> Locality:
        """``region/zone/subzone``, as far as it goes; further parts are ignored."""
        return cls(*text.split("/")[:3])

    def matches(self, pattern: str) -> bool:
        """Whether a rule means it: ``*`` is any part, and so is a zone or subzone that is left
        out (Istio: LocalityMatch)."""
        region, zone, subzone = self.parse(pattern)
        return (
            region in ("*", self.region)
            and zone in ("*", "", self.zone)
            and subzone in ("*", "", self.subzone)
        )

    def distance(self, other: Locality) -> int:
        """0 in the same subzone, 1 in the same zone, 2 in the same region, else 3 (Istio:
        LbPriority)."""
        if self.region != other.region:
            return 3
        if self.zone != other.zone:
            return 2
        return 0 if self.subzone == other.subzone else 1

    @property
    def labels(self) -> dict[str, str]:
        """The labels that Istio gives what runs there (AugmentLabels)."""
        named = {REGION: self.region, ZONE: self.zone, SUBZONE: self.subzone}
        return {name: value for name, value in named.items() if value}


NOWHERE = Locality()


def locality_of(labels: Mapping[str, str]) -> Locality:
    """By its label, whose parts are divided by ``.`` if there is no ``/``."""
    text = next((labels[name] for name in LABELS if name in labels), "")
    return Locality.parse(text if "/" in text else text.replace(".", "/"))


def locality_of_proxy(labels: Mapping[str, str]) -> Locality:
    """Of a client: by the labels of its place where it has them, else by the one label (Istio:
    localityFromProxyLabels)."""
    labels = {**labels, **locality_of(labels).labels}
    return Locality(*(labels.get(name, "") for name in (REGION, ZONE, SUBZONE)))
