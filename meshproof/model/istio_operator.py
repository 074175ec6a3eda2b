"""install.istio.io/v1alpha1 IstioOperator: its ``meshConfig``. The rest says how istioctl installs
Istio; the embedded mesh installs nothing."""

from __future__ import annotations

from meshproof.model.base_model import Model
from meshproof.model.kube_fields import Ignored
from meshproof.model.mesh_config import MeshConfig


class IstioOperator(Model):
    mesh_config: MeshConfig = MeshConfig()
    profile: Ignored = None
    hub: Ignored = None
    tag: Ignored = None
    namespace: Ignored = None
    revision: Ignored = None
    install_package_path: Ignored = None
    components: Ignored = None
