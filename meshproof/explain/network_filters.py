"""Policies of a connection: RBAC, and checks that another server makes."""

from __future__ import annotations

from dataclasses import replace

from meshproof.explain import ext_authz, http_filters
from meshproof.explain.connection import AuthzRequest, Peer
from meshproof.explain.origin import Locate, plugin_origin
from meshproof.explain.result import Outcome
from meshproof.explain.string_match import Json

_AUTHZ, _RBAC = ".network.ext_authz.v3.ExtAuthz", ".network.rbac.v3.RBAC"


def find_denial(
    chain: Json, peer: Peer, locate: Locate, now: float
) -> tuple[Outcome | None, list[str]]:
    """Why the filters of a chain close the connection, if they do; and what that assumes."""
    authz, assumed = AuthzRequest(peer), []
    for entry in chain["filters"]:
        config = entry["typed_config"]
        if plugin := plugin_origin(entry["name"]):
            assumed.append(f"the module of {locate(plugin).title} lets the connection in")
        if config["@type"].endswith(_AUTHZ):
            if (check := ext_authz.find_check(config, authz, locate)) is not None:
                assumed.append(check[2])
        elif config["@type"].endswith(_RBAC):
            metadata = ext_authz.shadow_metadata(config, authz, entry["name"])
            authz = replace(authz, metadata={**authz.metadata, **metadata})
            context = http_filters.FilterContext(None, locate, now)
            rules = config.get("rules")
            denial, _ = http_filters.decide_rbac(rules, authz, context) if rules else (None, None)
            if denial is not None:
                return denial, assumed
    return None, assumed
