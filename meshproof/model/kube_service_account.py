"""v1 ServiceAccount."""

from __future__ import annotations

from typing import Annotated, Any

from meshproof.model.base_model import Model
from meshproof.model.kube_fields import SILENT, NoEffect


class ServiceAccount(Model):
    automount_service_account_token: Annotated[Any, SILENT] = None
    image_pull_secrets: Annotated[Any, NoEffect("no image is pulled", ([],))] = None
    secrets: Annotated[Any, SILENT] = None
