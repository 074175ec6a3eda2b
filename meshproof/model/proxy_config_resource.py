"""networking.istio.io/v1beta1 ProxyConfig: a resource with a part of what MeshConfig's
``defaultConfig`` has, for the workloads that it selects (Istio: pilot/pkg/model/proxy_config.go).

It has effect on pods that start after it was applied, in Istio; here at once.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from meshproof.model.base_model import Model
from meshproof.model.kube_fields import Ignored, NoEffect
from meshproof.model.proxy_config import ProxyConfig
from meshproof.model.proxy_metadata import refuse_metadata
from meshproof.model.workload_selector import WorkloadSelector


class ProxyConfigResource(Model):
    selector: WorkloadSelector | None = None
    concurrency: Ignored = None
    environment_variables: dict[str, str] = {}
    """Variables of the proxy's environment, which a tracing tag may read."""
    image: Annotated[object, NoEffect("no image is pulled")] = None

    @model_validator(mode="after")
    def _has_honoured_variables(self) -> Self:
        refuse_metadata(self.environment_variables, "environmentVariables")
        return self

    @property
    def matched_labels(self) -> dict[str, str]:
        return dict(self.selector.match_labels) if self.selector else {}

    @property
    def settings(self) -> ProxyConfig:
        if not self.environment_variables:
            return ProxyConfig()
        return ProxyConfig.model_validate({"proxyMetadata": self.environment_variables})
