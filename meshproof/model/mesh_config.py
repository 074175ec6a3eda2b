"""MeshConfig: what holds for the whole mesh (istio/api: mesh/v1alpha1/config.proto).

Fields that say nothing here keep meshproof's own default; where that differs from Istio's, the
field's docstring says so.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, Field

from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE, TRUST_DOMAIN
from meshproof.model.base_model import Model, PartlyHonoured
from meshproof.model.destination_rule import LocalityLoadBalancerSetting, TcpKeepalive
from meshproof.model.discovery_selector import DiscoverySelector
from meshproof.model.durations import Duration
from meshproof.model.export_to import ExportTo
from meshproof.model.extension_providers import ExtensionProviders, LogFormat
from meshproof.model.kube_fields import Ignored, NoEffect
from meshproof.model.kube_names import Label
from meshproof.model.proxy_config import ProxyConfig, merge_proxy_configs
from meshproof.model.sidecar import OutboundTrafficPolicy
from meshproof.model.string_types import Line
from meshproof.model.virtual_service_route import HTTPRetry

M = TypeVar("M", bound=Model)


def _check_trust_domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError(f'is "{value}"; wanted lower-case letters, digits, - and .')
    return value


_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
TrustDomain = Annotated[str, AfterValidator(_check_trust_domain)]


class PathNormalization(Model):
    """How a path is changed before rules see it: DEFAULT is BASE."""

    normalization: Literal[
        "DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"
    ] = "DEFAULT"


class InboundTrafficPolicy(Model):
    mode: Annotated[Literal["PASSTHROUGH"], PartlyHonoured()] = "PASSTHROUGH"


class TLSConfig(Model):
    min_protocol_version: Literal["TLS_AUTO", "TLSV1_2", "TLSV1_3"] = "TLS_AUTO"
    ecdh_curves: list[Line] = []
    cipher_suites: list[Line] = []


class DefaultProviders(Model):
    """Names of extension providers for what no Telemetry resource says."""

    tracing: list[Line] = []
    metrics: list[Line] = []
    access_logging: list[Line] = []


class MeshConfig(Model):
    outbound_traffic_policy: OutboundTrafficPolicy | None = None
    """None is REGISTRY_ONLY, where Istio has ALLOW_ANY."""
    inbound_traffic_policy: InboundTrafficPolicy | None = None
    path_normalization: PathNormalization = PathNormalization.empty()
    default_http_retry_policy: HTTPRetry | None = None
    """For routes that name no retries; None is Istio's own default."""
    connect_timeout: Annotated[Duration, Field(gt=0)] | None = None
    tcp_keepalive: TcpKeepalive | None = None
    h2_upgrade_policy: Annotated[
        Literal["DO_NOT_UPGRADE", "UPGRADE"], Field(alias="h2UpgradePolicy")
    ] = "DO_NOT_UPGRADE"
    tls_defaults: TLSConfig | None = None
    """For TLS that is not the mesh's own."""
    mesh_mtls: Annotated[TLSConfig | None, Field(alias="meshMTLS")] = None
    """For mutual TLS between sidecars."""
    default_service_export_to: ExportTo = []
    """Of Services and ServiceEntries that do not say which namespaces see them."""
    default_virtual_service_export_to: ExportTo = []
    default_destination_rule_export_to: ExportTo = []
    locality_lb_setting: LocalityLoadBalancerSetting | None = None
    discovery_selectors: list[DiscoverySelector] = []
    """Of the namespaces whose Services and rules count; none: of all."""
    default_config: ProxyConfig = ProxyConfig.empty()
    default_providers: DefaultProviders = DefaultProviders.empty()
    extension_providers: ExtensionProviders = []
    access_log_file: Annotated[Literal["", "/dev/stdout", "/dev/stderr"], PartlyHonoured()] = ""
    """Empty keeps the mesh's own log alone, where Istio has none."""
    access_log_format: str = ""
    access_log_encoding: Literal["TEXT", "JSON"] = "TEXT"
    trust_domain: TrustDomain = TRUST_DOMAIN
    trust_domain_aliases: list[TrustDomain] = []
    """Other domains that policies may name the mesh's own identities by."""
    root_namespace: Label = ROOT_NAMESPACE
    """Whose policies hold for the whole mesh. The gateways stay in ``istio-system``."""
    enable_tracing: bool = True
    enable_auto_mtls: Annotated[Literal[True], PartlyHonoured()] = True
    enable_prometheus_merge: Ignored = None
    disable_envoy_listener_log: Ignored = None
    dns_refresh_rate: Ignored = None
    ingress_class: Line = "istio"
    """The class of the Ingresses that count, by annotation."""
    ingress_controller_mode: Literal["UNSPECIFIED", "OFF", "DEFAULT", "STRICT"] = "STRICT"
    ingress_selector: str = ""
    ingress_service: str = INGRESS_GATEWAY
    verify_certificate_at_client: Ignored = None
    hbone_idle_timeout: Annotated[object, NoEffect("there is no ambient mode")] = None
    service_settings: Annotated[object, NoEffect("there is one cluster")] = None
    service_scope_configs: Annotated[object, NoEffect("there is one cluster")] = None
    ca_certificates: Annotated[
        object, NoEffect("istiod hands them on only with ISTIO_MULTIROOT_MESH, off by default")
    ] = None

    @property
    def log_format(self) -> LogFormat | None:
        """The form of the access log; None where nothing is said. What is not JSON counts as
        nothing under the encoding JSON, as in Istio."""
        if not self.access_log_format:
            return None
        if self.access_log_encoding == "TEXT":
            return LogFormat(text=self.access_log_format)
        try:
            return LogFormat(labels=json.loads(self.access_log_format))
        except ValueError:
            return LogFormat()


NO_MESH_CONFIG: Final = MeshConfig.empty()
"""Every field as by default."""


def merge_mesh_configs(base: MeshConfig, other: MeshConfig) -> MeshConfig:
    """``other`` over ``base``: a field that is set wins whole, but those of ``defaultConfig`` win
    one by one (Istio: ApplyMeshConfig in pkg/config/mesh)."""
    merged = _override(base, other)
    default = merge_proxy_configs((base.default_config, other.default_config))
    return merged.model_copy(update={"default_config": default})


def _override(base: M, other: M) -> M:
    return base.model_copy(update={name: getattr(other, name) for name in other.model_fields_set})
