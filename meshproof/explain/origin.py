"""Which rule of the mesh a piece of Envoy configuration was made for, as it says itself.

Routes carry it as metadata, under Istio's own key and one of ours (``translate.written``); RBAC's
rule sets have it in their names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from meshproof.explain.string_match import Json

_KEY = re.compile(r"ns\[(?P<ns>[^]]*)\]-policy\[(?P<name>[^]]*)\]-rule\[(?P<rule>\d+)\]")


@dataclass(frozen=True, slots=True)
class RuleOrigin:
    """``kind namespace/name`` and a field of it; ``file`` and ``line`` where somebody knows."""

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


Placed = Callable[[RuleOrigin], RuleOrigin]
"""Fills in file and line, and puts what a user wrote for what was made out of it."""


def as_is(rule: RuleOrigin) -> RuleOrigin:
    return rule


def of_route(route: Json) -> RuleOrigin | None:
    """The rule that a route was made for; None for a service's default route and our own."""
    said = route.get("metadata", {}).get("filter_metadata", {})
    config = said.get("istio", {}).get("config", "")
    if not config:
        return None
    *_, namespace, _kind, name = config.split("/")
    ours = said.get("meshproof", {})
    return RuleOrigin(ours.get("kind", "VirtualService"), namespace, name, ours.get("field", ""))


def of_policy(key: str) -> RuleOrigin | None:
    """The AuthorizationPolicy and its rule behind a key of RBAC's rule set."""
    found = _KEY.search(key)
    if found is None:
        return None
    return RuleOrigin(
        "AuthorizationPolicy", found["ns"], found["name"], f"spec.rules[{found['rule']}]"
    )
