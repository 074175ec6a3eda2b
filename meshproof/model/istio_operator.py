"""install.istio.io/v1alpha1 IstioOperator: its ``meshConfig``, and whether namespaces have sidecars
by default. The rest says how istioctl installs Istio; the embedded mesh installs nothing."""

from __future__ import annotations

from meshproof.model.base_model import Model
from meshproof.model.kube_fields import Ignored
from meshproof.model.mesh_config import MeshConfig


class SidecarInjectorWebhook(Model):
    enable_namespaces_by_default: bool = True
    """Istio's own default is false."""


class InstallValues(Model):
    """Values of Istio's charts."""

    sidecar_injector_webhook: SidecarInjectorWebhook = SidecarInjectorWebhook.empty()


class IstioOperator(Model):
    mesh_config: MeshConfig = MeshConfig.empty()
    values: InstallValues = InstallValues.empty()
    profile: Ignored = None
    hub: Ignored = None
    tag: Ignored = None
    namespace: Ignored = None
    revision: Ignored = None
    install_package_path: Ignored = None
    components: Ignored = None
