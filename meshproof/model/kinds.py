"""The model of each (apiVersion, kind). Models are imported when first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import cast

from meshproof.errors import Problem
from meshproof.model.base_model import Model
from meshproof.model.kinds_without_model import (
    IGNORED_KINDS,
    NAMESPACED_KINDS,
    REASONS,
    THIRD_PARTY_KINDS,
    UNSUPPORTED_KINDS,
    explain_ignored,
    is_known_group,
)

NOT_YET = "meshproof's embedded mesh does not honour yet"
LEAVE_OUT = "leave it out, or run with MESH=kind"
_CLEAR = ("not honour yet", "not honoured here", "has removed")


def as_unsupported(problem: Problem) -> Problem:
    """The same problem, as one of the embedded mesh alone; its message says so."""
    clear = any(phrase in problem.found for phrase in _CLEAR)
    message = problem.found if clear else f"{problem.found}, which is valid, but {NOT_YET}"
    return replace(problem, found=message, unsupported=True)


@dataclass(frozen=True)
class Kind:
    """One kind. ``body`` is the key that the model describes, or empty for the whole document."""

    name: str
    api_versions: tuple[str, ...]
    module: str
    """A module of ``meshproof.model``; empty for a kind that is accepted without a model."""
    model_name: str
    namespaced: bool = True
    body: str = "spec"
    snake_case: bool = False
    """Keys may be ``simple_retry`` as well as ``simpleRetry`` (Istio 0.4)."""
    optional: bool = False
    """The body may be left out, as in an AuthorizationPolicy that allows nothing."""
    usual_name: str = ""
    """Of a document without one, where the tool that reads it asks for none."""
    other_versions: tuple[str, ...] = ()
    """Versions that a cluster serves and that no model reads."""
    written: str = ""
    """What documents call it, where another API has a kind of that name."""

    @property
    def is_ignored(self) -> bool:
        """Accepted without a model; the embedded mesh gives it no effect."""
        return not self.module

    @property
    def of_istio04(self) -> bool:
        """Known to no API server: such a document is applied as what it is lowered to."""
        return self.snake_case

    @cached_property
    def model(self) -> type[Model]:
        return cast(
            "type[Model]", getattr(import_module(f"meshproof.model.{self.module}"), self.model_name)
        )


@dataclass(frozen=True, slots=True)
class UnknownKind:
    """Why a document's kind is refused, as the fields of a ``Problem``."""

    field: str
    found: str
    wanted: str
    remedy: str
    unsupported: bool = False


_ISTIO = ("networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3")
_OLD = ("config.istio.io/v1alpha2",)
_SECURITY = ("security.istio.io/v1", "security.istio.io/v1beta1")
_TELEMETRY = ("telemetry.istio.io/v1", "telemetry.istio.io/v1alpha1")
_OPERATOR = ("install.istio.io/v1alpha1",)
_GATEWAY_API = ("gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1")
_ALPHA = "gateway.networking.k8s.io/v1alpha2"
_ALPHAS = (_ALPHA, "gateway.networking.k8s.io/v1alpha3")
KUBERNETES_GATEWAY = "KubernetesGateway"
"""Istio's name for the Gateway API's Gateway, apart from its own."""
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("VirtualService", _ISTIO, "virtual_service", "VirtualService"),
        Kind("DestinationRule", _ISTIO, "destination_rule", "DestinationRule"),
        Kind("ServiceEntry", _ISTIO, "service_entry", "ServiceEntry"),
        Kind("WorkloadEntry", _ISTIO, "workload_entry", "WorkloadEntry"),
        Kind("Gateway", _ISTIO, "gateway", "Gateway"),
        Kind("EnvoyFilter", _ISTIO[2:], "envoy_filter", "EnvoyFilter"),
        Kind("Sidecar", _ISTIO, "sidecar", "Sidecar", optional=True),
        Kind(
            "PeerAuthentication",
            _SECURITY,
            "peer_authentication",
            "PeerAuthentication",
            optional=True,
        ),
        Kind(
            "AuthorizationPolicy",
            _SECURITY,
            "authorization_policy",
            "AuthorizationPolicy",
            optional=True,
        ),
        Kind(
            "RequestAuthentication",
            _SECURITY,
            "request_authentication",
            "RequestAuthentication",
            optional=True,
        ),
        Kind("Telemetry", _TELEMETRY, "telemetry", "Telemetry", optional=True),
        Kind(
            "ProxyConfig",
            _ISTIO[1:2],
            "proxy_config_resource",
            "ProxyConfigResource",
            optional=True,
        ),
        Kind("WasmPlugin", ("extensions.istio.io/v1alpha1",), "wasm_plugin", "WasmPlugin"),
        Kind(
            "IstioOperator",
            _OPERATOR,
            "istio_operator",
            "IstioOperator",
            optional=True,
            usual_name="installed-state",
        ),
        Kind("HTTPRoute", _GATEWAY_API, "http_route", "HTTPRouteSpec"),
        Kind(
            KUBERNETES_GATEWAY,
            _GATEWAY_API,
            "gateway_api",
            "KubernetesGateway",
            written="Gateway",
        ),
        Kind("GatewayClass", _GATEWAY_API, "gateway_api", "GatewayClassSpec", namespaced=False),
        Kind("GRPCRoute", (*_GATEWAY_API[:1], _ALPHA), "grpc_route", "GRPCRouteSpec"),
        Kind("TLSRoute", (*_GATEWAY_API[:1], *_ALPHAS), "connection_routes", "TLSRouteSpec"),
        Kind("TCPRoute", (*_GATEWAY_API[:1], *_ALPHAS), "connection_routes", "TCPRouteSpec"),
        Kind("ReferenceGrant", (*_GATEWAY_API, _ALPHA), "gateway_api", "ReferenceGrantSpec"),
        Kind(
            "BackendTLSPolicy",
            (*_GATEWAY_API[:1], *_ALPHAS),
            "gateway_api",
            "BackendTLSPolicySpec",
        ),
        Kind("RouteRule", _OLD, "v1alpha2", "RouteRule", snake_case=True),
        Kind("EgressRule", _OLD, "v1alpha2", "EgressRule", snake_case=True),
        Kind(
            "DestinationPolicy",
            (*_OLD, "config.istio.io/v1beta1"),
            "v1alpha2",
            "DestinationPolicy",
            snake_case=True,
        ),
        Kind("Deployment", ("apps/v1",), "kube_workloads", "DeploymentSpec"),
        Kind("StatefulSet", ("apps/v1",), "kube_workloads", "StatefulSetSpec"),
        Kind("DaemonSet", ("apps/v1",), "kube_workloads", "DaemonSetSpec"),
        Kind("Pod", ("v1",), "kube_pod", "PodSpec"),
        Kind(
            "HorizontalPodAutoscaler",
            ("autoscaling/v2",),
            "kube_hpa",
            "HorizontalPodAutoscalerSpec",
            other_versions=("autoscaling/v1",),
        ),
        Kind("Service", ("v1",), "kube_service", "ServiceSpec"),
        Kind("Ingress", ("networking.k8s.io/v1",), "kube_ingress", "IngressSpec"),
        Kind(
            "IngressClass",
            ("networking.k8s.io/v1",),
            "kube_ingress",
            "IngressClassSpec",
            namespaced=False,
        ),
        Kind("Endpoints", ("v1",), "kube_endpoints", "Endpoints", body=""),
        Kind("EndpointSlice", ("discovery.k8s.io/v1",), "kube_endpoints", "EndpointSlice", body=""),
        Kind("Namespace", ("v1",), "kube_namespace", "Namespace", namespaced=False, body=""),
        Kind("ServiceAccount", ("v1",), "kube_service_account", "ServiceAccount", body=""),
        Kind("ConfigMap", ("v1",), "kube_config", "ConfigMap", body=""),
        Kind("Secret", ("v1",), "kube_config", "Secret", body=""),
    )
}
_REMOVED = ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")
_REMOVED_INGRESS = ("extensions/v1beta1", "networking.k8s.io/v1beta1")


def is_gateway_api(api_version: str) -> bool:
    return api_version.startswith("gateway.networking.k8s.io/")


def find_kind(api_version: object, kind: object) -> Kind | UnknownKind:
    """The kind of a document, or why there is none."""
    if not isinstance(kind, str):
        return UnknownKind("kind", _describe_type(kind), _list_kinds(), "")
    model = KINDS.get(kind)
    if not isinstance(api_version, str):
        expected = " or ".join(model.api_versions) if model else "a string"
        return UnknownKind("apiVersion", _describe_type(api_version), expected, "")
    if model and api_version in model.api_versions:
        return model
    if kind == "Gateway" and is_gateway_api(api_version):
        return find_kind(api_version, KUBERNETES_GATEWAY)
    return _find_without_model(api_version, kind, model)


def without_model(api_version: str, kind: str, *, namespaced: bool = True) -> Kind:
    """A kind whose documents are accepted without a model: their metadata is all that is read."""
    return Kind(kind, (api_version,), "", "", namespaced=namespaced)


def _find_without_model(api_version: str, kind: str, model: Kind | None) -> Kind | UnknownKind:
    """A kind that no model reads: accepted without effect, or refused."""
    group = api_version.rpartition("/")[0]
    if remedy := THIRD_PARTY_KINDS.get(f"{group} {kind}"):
        message = f"{kind} of {group} is not honoured here"
        return UnknownKind("kind", message, "", remedy, unsupported=True)
    if explain_ignored(kind, api_version):
        namespaced = kind in NAMESPACED_KINDS or not is_known_group(group)
        return without_model(api_version, kind, namespaced=namespaced)
    return _unknown_version(api_version, model) if model else _unknown_kind(group, kind)


def _unknown_kind(group: str, kind: str) -> UnknownKind:
    """A kind of Kubernetes that is not listed here may exist, unless it looks misspelt."""
    if kind in UNSUPPORTED_KINDS:
        return _unsupported(kind, UNSUPPORTED_KINDS[kind])
    message = f"{kind} is not a kind that meshproof knows"
    unsupported = not group.endswith("istio.io") and not _suggest(kind, _MISSPELT)
    return UnknownKind("kind", message, _list_kinds(), _suggest(kind), unsupported)


_MISSPELT = 0.9
"""How similar two kinds are when one is the other with a letter wrong: Servce, Deploymnt. The
nearest two of Kubernetes, MutatingAdmissionPolicyBinding and Validating..., are at 0.87."""


def _describe_type(value: object) -> str:
    return "is missing" if value is None else "is not a string"


def _unsupported(kind: str, owner: str) -> UnknownKind:
    reason, remedy = REASONS.get(kind, ("", LEAVE_OUT))
    message = f"{kind} is a kind of {owner} that {NOT_YET}{reason and f': {reason}'}"
    return UnknownKind("kind", message, "", remedy, unsupported=True)


def _unknown_version(api_version: str, kind: Kind) -> UnknownKind:
    message = f"{kind.written or kind.name} has no version {api_version}"
    remedy = ""
    if kind.name in ("Ingress", "IngressClass") and api_version in _REMOVED_INGRESS:
        message = f"{api_version} was removed in Kubernetes 1.22"
        remedy = f"write apiVersion: {kind.api_versions[0]}, with its fields"
    elif api_version in _REMOVED:
        message = f"{api_version} was removed in Kubernetes 1.16"
        remedy = f"write apiVersion: {kind.api_versions[0]} and give it a spec.selector"
    expected = " or ".join(kind.api_versions)
    unsupported = api_version in kind.other_versions
    return UnknownKind("apiVersion", message, expected, remedy, unsupported)


def _list_kinds() -> str:
    return "one of " + ", ".join(sorted({k.written or k.name for k in KINDS.values()}))


def _suggest(kind: str, similar: float = 0.6) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  # only for a message

    near = get_close_matches(kind, [*KINDS, *UNSUPPORTED_KINDS, *IGNORED_KINDS], 1, similar)
    return f"did you mean {near[0]}?" if near else ""
