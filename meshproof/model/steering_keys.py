"""The labels and annotations by which Istio is steered.

The names are those of Istio's API (istio/api: annotation/annotations.yaml, label/labels.yaml) and
of the injection webhook (pkg/kube/inject). What would change how the mesh behaves, and is not
honoured, is refused; a value that asks for what the mesh does anyway is accepted. Istio ignores
names that it does not know, so these are only reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from meshproof.model import capture
from meshproof.model.locality import LABELS as LOCALITY_LABELS

DRY_RUN = "istio.io/dry-run"
TRUE = ("1", "t", "T", "true", "TRUE", "True")
FALSE = ("0", "f", "F", "false", "FALSE", "False")
"""What Go's ParseBool reads."""
EXPORT_TO = "networking.istio.io/exportTo"
GATEWAY_SERVICE = "internal.istio.io/gateway-service"
INGRESS_CLASS = "kubernetes.io/ingress.class"
PROXY_CONFIG = "proxy.istio.io/config"
TRAFFIC_DISTRIBUTION = "networking.istio.io/traffic-distribution"


class Target(Enum):
    """The objects that a label or annotation steers."""

    POD = "pods"
    NAMESPACE = "namespaces"
    SERVICE = "Services"
    POLICY = "AuthorizationPolicies"
    CONFIG = "Istio's resources"
    ANY = "any object"


@dataclass(frozen=True, slots=True)
class SteeringKey:
    """One label or annotation. ``meaning``: what a value that is not accepted would do in Istio."""

    name: str
    targets: tuple[Target, ...]
    meaning: str = ""
    accepted: tuple[str, ...] = ()
    """Values that are honoured, or that ask for what the mesh does anyway."""
    refused: tuple[str, ...] = ()
    """If given, the only values that are refused."""
    honoured: bool = False
    """Any value is honoured."""
    no_effect: bool = False
    """Any value is accepted without effect; ``meaning``, if there is one, is reported."""

    valid: Callable[[str], bool] | None = None
    """If given, every value is honoured for which it is true, and any other is an error: ``wanted``
    says what there may be."""
    wanted: str = ""

    def accepts(self, value: str) -> bool:
        if self.valid is not None:
            return self.valid(value)
        if self.honoured or self.no_effect or value in self.accepted:
            return True
        return bool(self.refused) and value not in self.refused


_POD = (Target.POD,)
_ANY = (Target.ANY,)
_BYPASS = "traffic would bypass the sidecar"
_WAYPOINT = "requests would pass a waypoint proxy, and there is none"


def _no_effect(
    targets: tuple[Target, ...], prefix: str, names: str, meaning: str = ""
) -> tuple[SteeringKey, ...]:
    return tuple(
        SteeringKey(prefix + name, targets, meaning, no_effect=True) for name in names.split()
    )


_KEYS = (
    SteeringKey("sidecar.istio.io/inject", _POD, honoured=True),
    SteeringKey("istio-injection", (Target.NAMESPACE,), honoured=True),
    SteeringKey(
        "istio.io/rev",
        (Target.POD, Target.NAMESPACE, Target.CONFIG, Target.POLICY),
        "it would belong to another control plane, and here there is one",
        accepted=("", "default"),
    ),
    SteeringKey(
        "istio.io/dataplane-mode",
        (Target.POD, Target.NAMESPACE),
        "the pods would have no sidecars, but a proxy of their node, and here there is none",
        refused=("ambient",),
    ),
    SteeringKey("istio.io/use-waypoint", _ANY, _WAYPOINT, accepted=("", "none")),
    SteeringKey("istio.io/ingress-use-waypoint", _ANY, _WAYPOINT, accepted=("", "false")),
    SteeringKey(
        DRY_RUN,
        (Target.POLICY,),
        "Istio reads no truth value in it, and takes the policy for one in force",
        accepted=(*TRUE, *FALSE),
    ),
    SteeringKey(
        DRY_RUN,
        (Target.CONFIG,),
        "it asks for a dry run, and here it would be in force",
        accepted=("false",),
    ),
    SteeringKey(EXPORT_TO, (Target.SERVICE,), honoured=True),
    SteeringKey(
        "sidecar.istio.io/interceptionMode",
        _POD,
        "connections would be intercepted in another way, or not at all",
        accepted=("", "REDIRECT"),
    ),
    SteeringKey(
        "sidecar.istio.io/bootstrapOverride", _POD, "the sidecar would start with another bootstrap"
    ),
    SteeringKey(
        "sidecar.istio.io/rewriteAppHTTPProbers",
        _POD,
        "probes would pass the sidecar, and here they go to the app",
        refused=("false",),
    ),
    SteeringKey(
        "inject.istio.io/templates",
        _POD,
        "the pod would get other containers than a sidecar or a gateway",
        accepted=("", "sidecar", "gateway"),
    ),
    SteeringKey(PROXY_CONFIG, _POD, honoured=True),
    *(
        SteeringKey(capture.PREFIX + name, _POD, valid=valid, wanted=wanted)
        for name, valid, wanted in (
            ("includeOutboundIPRanges", capture.is_ranges_or_all, "ranges as 10.0.0.0/8, or *"),
            ("excludeOutboundIPRanges", capture.is_ranges, "ranges as 10.0.0.0/8"),
            ("includeOutboundPorts", capture.is_ports, "ports, with commas"),
            ("excludeOutboundPorts", capture.is_ports, "ports, with commas"),
            ("includeInboundPorts", capture.is_ports_or_all, "ports, with commas, or *"),
            ("excludeInboundPorts", capture.is_ports, "ports, with commas"),
        )
    ),
    *(
        SteeringKey(capture.PREFIX + name, _POD, _BYPASS, accepted=("",))
        for name in ("excludeInterfaces", "kubevirtInterfaces")
    ),
    SteeringKey("istio.io/reroute-virtual-interfaces", _POD, _BYPASS, accepted=("",)),
    SteeringKey(
        "security.istio.io/tlsMode",
        _POD,
        "clients would call the pod without mutual TLS",
        accepted=("istio",),
    ),
    SteeringKey(
        "topology.istio.io/network",
        (Target.POD, Target.SERVICE),
        "other networks would be reached by gateways, and here there is one network",
        accepted=("",),
    ),
    *(SteeringKey(name, _POD, honoured=True) for name in LOCALITY_LABELS),
    SteeringKey(GATEWAY_SERVICE, (Target.CONFIG,), honoured=True),
    SteeringKey(TRAFFIC_DISTRIBUTION, (Target.SERVICE, Target.CONFIG), honoured=True),
    *(
        SteeringKey(
            f"alpha.istio.io/{name}",
            (Target.SERVICE,),
            "clients would accept further identities",
            accepted=("",),
        )
        for name in ("kubernetes-serviceaccounts", "canonical-serviceaccounts")
    ),
    # What follows concerns only what the embedded mesh has not got, such as the sidecar's
    # container, or what tools wrote for themselves.
    *_no_effect(
        (Target.NAMESPACE,),
        "networking.istio.io/",
        "traffic-distribution",
        "only Services and ServiceEntries have it; Istio reads a namespace's for ambient alone",
    ),
    *_no_effect((Target.SERVICE,), "networking.istio.io/", "gatewayPort"),
    *_no_effect((Target.NAMESPACE,), "topology.istio.io/", "network"),
    *_no_effect(_ANY, "topology.istio.io/", "subzone cluster"),
    *_no_effect(
        _POD,
        "sidecar.istio.io/",
        "status controlPlaneAuthPolicy discoveryAddress proxyImage proxyImageType proxyCPU "
        "proxyCPULimit proxyMemory proxyMemoryLimit "
        "userVolume userVolumeMount enableCoreDump logLevel componentLogLevel agentLogLevel "
        "nativeSidecar",
    ),
    *_no_effect(
        _POD,
        "sidecar.istio.io/",
        "statsInclusionPrefixes statsInclusionSuffixes statsInclusionRegexps statsHistogramBuckets "
        "statsCompression extraStatTags",
        "sidecars count what they always count",
    ),
    *_no_effect(_POD, "status.sidecar.istio.io/", "port"),
    *_no_effect(
        _POD,
        "readiness.status.sidecar.istio.io/",
        "initialDelaySeconds periodSeconds failureThreshold applicationPorts",
    ),
    *_no_effect(_POD, "prometheus.istio.io/", "merge-metrics"),
    *_no_effect(_POD, "proxy.istio.io/", "overrides"),
    *_no_effect(_POD, "alpha.istio.io/", "identity"),
    *_no_effect(
        _ANY,
        "service.istio.io/",
        "canonical-name canonical-revision",
        "metrics name a workload by its labels app and version",
    ),
    *_no_effect(
        _ANY,
        "istio.io/",
        "tag global autoRegistrationGroup workloadController connectedAt disconnectedAt",
    ),
    *_no_effect(_ANY, "galley.istio.io/", "analyze-suppress"),
    *_no_effect(_ANY, "operator.istio.io/", "component managed version"),
    *_no_effect(_ANY, "install.operator.istio.io/", "chart-owner owner-generation version"),
)


def _by_name() -> Mapping[str, tuple[SteeringKey, ...]]:
    table: dict[str, tuple[SteeringKey, ...]] = {}
    for key in _KEYS:
        table[key.name] = (*table.get(key.name, ()), key)
    return table


STEERING_KEYS = _by_name()
"""By name; a key of several rows has a different effect on each of their targets."""
