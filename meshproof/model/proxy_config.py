"""MeshConfig's ``defaultConfig`` and a pod's ``proxy.istio.io/config``: what one Envoy does.

The names are those of istio/api: mesh/v1alpha1/proxy.proto. Fields that concern Istio's agent and
its container alone have no effect here, and are reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import Model, PartlyHonoured
from meshproof.model.kube_fields import Ignored
from meshproof.model.proxy_metadata import refuse_metadata
from meshproof.model.telemetry import CustomTag

ForwardClientCert = Literal[
    "UNDEFINED", "SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY"
]


class GatewayTopology(Model):
    """What stands before the gateway."""

    num_trusted_proxies: Annotated[int, Field(ge=0)] = 0
    """How many proxies before the gateway may be believed: the client is the n-th address from
    the right of ``x-forwarded-for``."""
    forward_client_cert_details: ForwardClientCert = "UNDEFINED"


class ProxyTracing(Model):
    """``sampling`` in percent; None where nothing is said."""

    sampling: Annotated[float, Field(ge=0, le=100)] | None = None
    custom_tags: dict[str, CustomTag] = {}


class ServerHeader(Model):
    """``server: istio-envoy`` of responses, or another value."""

    disabled: bool = False
    value: str = ""


class DisabledHeader(Model):
    disabled: bool = False


class EnabledHeader(Model):
    enabled: bool = False


class ClientCertDetails(Model):
    subject: bool | None = None
    cert: bool | None = None
    chain: bool | None = None
    dns: bool | None = None
    uri: bool | None = None


class ProxyHeaders(Model):
    """Headers that Envoy adds."""

    forwarded_client_cert: ForwardClientCert = "UNDEFINED"
    set_current_client_cert_details: ClientCertDetails | None = None
    request_id: DisabledHeader | None = None
    server: ServerHeader | None = None
    attempt_count: DisabledHeader | None = None
    envoy_debug_headers: DisabledHeader | None = None
    x_forwarded_port: EnabledHeader | None = None


class ProxyConfig(Model):
    gateway_topology: GatewayTopology | None = None
    tracing: ProxyTracing | None = None
    proxy_headers: ProxyHeaders | None = None
    proxy_metadata: dict[str, str] = {}
    """Variables of the proxy's environment, which a tracing tag may read."""
    interception_mode: Annotated[Literal["REDIRECT"], PartlyHonoured()] = "REDIRECT"
    control_plane_auth_policy: Annotated[Literal["MUTUAL_TLS"], PartlyHonoured()] = "MUTUAL_TLS"
    hold_application_until_proxy_starts: Ignored = None
    concurrency: Ignored = None
    discovery_address: Ignored = None
    drain_duration: Ignored = None
    termination_drain_duration: Ignored = None
    config_path: Ignored = None
    binary_path: Ignored = None
    service_cluster: Ignored = None
    mesh_id: Ignored = None
    image: Ignored = None
    status_port: Ignored = None
    proxy_admin_port: Ignored = None
    proxy_stats_matcher: Ignored = None
    extra_stat_tags: Ignored = None
    stat_name_length: Ignored = None
    file_flush_interval: Ignored = None
    file_flush_min_size_kb: Ignored = None
    readiness_probe: Ignored = None

    @model_validator(mode="after")
    def _has_honoured_metadata(self) -> Self:
        refuse_metadata(self.proxy_metadata, "proxyMetadata")
        return self


def merge_proxy_configs(configs: Iterable[ProxyConfig]) -> ProxyConfig:
    """The first, and over it each of the others: a field that is set wins whole, but variables of
    ``proxyMetadata`` one by one (Istio: MergeProxyConfig in pkg/config/mesh)."""
    merged = ProxyConfig.empty()
    for config in configs:
        values = {name: getattr(config, name) for name in config.model_fields_set}
        if config.proxy_metadata:
            values["proxy_metadata"] = {**merged.proxy_metadata, **config.proxy_metadata}
        merged = merged.model_copy(update=values)
    return merged
