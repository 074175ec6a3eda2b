"""Origins: the rule that a piece of Envoy configuration was built from.

Routes name it in their metadata, under Istio's key and one of ours (``translate.route_metadata``);
RBAC's rule sets name it in their keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from meshproof.explain.string_match import Json
from meshproof.istio_names import WASM_PLUGIN

_KEY = re.compile(r"ns\[(?P<ns>[^]]*)\]-policy\[(?P<name>[^]]*)\]-rule\[(?P<rule>\d+)\]")


@dataclass(frozen=True, slots=True)
class RuleOrigin:
    """``kind namespace/name`` and a field of it; ``file`` and ``line`` if they are known."""

    kind: str
    namespace: str
    name: str
    field: str = ""
    file: str = ""
    line: int = 0

    @property
    def title(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    def __str__(self) -> str:
        text = f"{self.title} {self.field}".rstrip()
        return f"{text} ({self.file}:{self.line})" if self.file else text


Locate = Callable[[RuleOrigin], RuleOrigin]
"""Adds file and line, and replaces a derived rule by the one that the user wrote."""


def without_location(rule: RuleOrigin) -> RuleOrigin:
    return rule


def route_origin(route: Json) -> RuleOrigin | None:
    """The rule of a route; None for default routes and the mesh's own."""
    metadata = route.get("metadata", {}).get("filter_metadata", {})
    config = metadata.get("istio", {}).get("config", "")
    if not config:
        return None
    *_, namespace, _kind, name = config.split("/")
    own = metadata.get("meshproof", {})
    return RuleOrigin(own.get("kind", "VirtualService"), namespace, name, own.get("field", ""))


def plugin_origin(filter_name: str) -> RuleOrigin | None:
    """The WasmPlugin of a filter; None for a filter that is not one's."""
    if not filter_name.startswith(WASM_PLUGIN):
        return None
    namespace, _, name = filter_name.removeprefix(WASM_PLUGIN).partition(".")
    return RuleOrigin("WasmPlugin", namespace, name)


def policy_origin(key: str) -> RuleOrigin | None:
    """The AuthorizationPolicy and its rule that a key of RBAC's rule set names."""
    match = _KEY.search(key)
    if match is None:
        return None
    return RuleOrigin(
        "AuthorizationPolicy", match["ns"], match["name"], f"spec.rules[{match['rule']}]"
    )
