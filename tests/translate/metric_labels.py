"""The labels of a metric of Envoy's stats access logger, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def labels_of(stat: Mapping[str, Any]) -> dict[str, str]:
    """Label -> format; labels that share one have the same."""
    (tag,) = stat["tags"]
    items = (item.partition("=") for item in tag["value_format"].split("\x1f"))
    return {name: text for names, _, text in items for name in names.split(",") if name}
