"""v1 Namespace."""

from __future__ import annotations

from typing import Annotated, Any

from meshproof.model.base_model import Model
from meshproof.model.kube_fields import SILENT


class Namespace(Model):
    spec: Annotated[Any, SILENT] = None
