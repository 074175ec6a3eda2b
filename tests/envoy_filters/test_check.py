"""Admission of EnvoyFilters: values that Envoy does not have, and ways off this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.embedded.patches import find_unmatched
from meshproof.errors import Refused
from meshproof.model.reader import read_text
from meshproof.project import Project
from meshproof.translate.world import Named
from tests.translate import builders

HEAD = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f, namespace: default}
spec:
  configPatches:
"""
TYPE = "type.googleapis.com/envoy.extensions"
LUA = f"""\
  - applyTo: HTTP_FILTER
    match: {{context: SIDECAR_INBOUND}}
    patch:
      operation: INSERT_FIRST
      value:
        name: envoy.filters.http.lua
        typed_config:
          "@type": {TYPE}.filters.http.lua.v3.Lua
          inline_code: "function envoy_on_request(h) end"
"""


def _refusals(patches: str) -> list[str]:
    admission = embedded_admission(Project(Path()))
    with pytest.raises(Refused) as caught:
        admission.apply(Store(), read_text(HEAD + patches, "f.yaml"), strict=True)
    return [str(p) for p in caught.value.problems]


def test_a_filter_that_fits_is_admitted() -> None:
    admission = embedded_admission(Project(Path()))
    admitted = admission.apply(Store(), read_text(HEAD + LUA, "f.yaml"), strict=False)
    assert admitted.messages == ("EnvoyFilter default/f created",)


@pytest.mark.parametrize(
    ("original", "replacement", "message"),
    [
        (
            "inline_code",
            "inline_cod",
            "typed_config: Lua has no field inline_cod; did you mean inline_code?",
        ),
        ("http.lua.v3.Lua", "http.lua.v3.Luna", "Luna"),
        ("http.lua.v3.Lua", "http.luna.v3.Luna", "names a type that Envoy does not have"),
        (
            "name: envoy.filters.http.lua",
            "nam: x",
            "HttpFilter has no field nam; did you mean name?",
        ),
    ],
)
def test_a_value_that_is_not_envoy_s_is_refused_with_its_line(
    original: str, replacement: str, message: str
) -> None:
    (line,) = _refusals(LUA.replace(original, replacement))
    assert line.startswith("f.yaml:10: EnvoyFilter default/f: spec.configPatches[0].patch.value:")
    assert message in line


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            f"{{name: r, typed_config: {{'@type': {TYPE}.filters.http.ratelimit.v3.RateLimit,"
            " domain: d, rate_limit_service: {grpc_service: {google_grpc:"
            " {target_uri: 'x:1', stat_prefix: a}}}}}",
            "google_grpc, by which an Envoy would leave this machine",
        ),
        (
            "{name: d, typed_config: {'@type': type.googleapis.com/udpa.type.v1.TypedStruct,"
            " type_url: x, value: {dns_cache_config: {}}}}",
            "dns_cache_config, by which an Envoy would leave this machine",
        ),
    ],
)
def test_a_way_off_this_machine_is_refused(value: str, message: str) -> None:
    patch = f"{{operation: INSERT_FIRST, value: {value}}}"
    (line,) = _refusals(f"  - {{applyTo: HTTP_FILTER, patch: {patch}}}\n")
    assert message in line


def test_a_listener_does_not_move() -> None:
    patch = "  - {applyTo: LISTENER, patch: {operation: MERGE, value: {bind_to_port: true}}}\n"
    (line,) = _refusals(patch)
    assert "a listener stays where it is here" in line


def test_a_patch_that_matches_nothing_is_a_warning_with_its_line() -> None:
    text = HEAD + LUA + LUA.replace("context: SIDECAR_INBOUND", "context: GATEWAY")
    (resource,) = read_text(text, "f.yaml")
    named = Named(resource.name, resource.namespace, resource.spec)
    mesh = builders.world(envoy_filters=(named,))
    (warning,) = find_unmatched(mesh, (), [resource])
    assert str(warning).startswith("f.yaml:16: EnvoyFilter default/f: spec.configPatches[1].match:")
    assert "matches no HTTP_FILTER of any Envoy" in str(warning)
