"""The ConfigMap ``istio`` of the root namespace: its key ``mesh`` holds a MeshConfig as YAML.

istiod reads it at start and whenever it changes (Istio: pkg/config/mesh/kubemesh).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from meshproof.errors import Problem
from meshproof.istio_names import ISTIO_NAMESPACE
from meshproof.model.embedded_yaml import parse_embedded, read_embedded
from meshproof.sources.documents import Document
from meshproof.sources.location import FieldPath

if TYPE_CHECKING:
    from meshproof.model.mesh_config import MeshConfig

_NAME = "istio"
_KEY = "mesh"
_PATH: FieldPath = ("data", _KEY)


def is_mesh_config_map(kind: object, name: str, namespace: str) -> bool:
    """Whether istiod would read it."""
    return (kind, name, namespace) == ("ConfigMap", _NAME, ISTIO_NAMESPACE)


def check_mesh_config_map(document: Document) -> list[Problem]:
    """What is wrong with the MeshConfig inside, at its own lines."""
    from meshproof.model.mesh_config import MeshConfig  # noqa: PLC0415  (slow, and few files have one)

    data = document.value.get("data")
    text = data.get(_KEY) if isinstance(data, dict) else None
    return read_embedded(MeshConfig, text, _PATH, document)[1] if isinstance(text, str) else []


@lru_cache(maxsize=8)
def parse_mesh_config(text: str) -> MeshConfig:
    """The MeshConfig of a text that was checked before. Raises ValueError for any other."""
    from meshproof.model.mesh_config import MeshConfig  # noqa: PLC0415  (slow, and few files have one)

    return parse_embedded(MeshConfig, text)
