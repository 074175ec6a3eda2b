"""What security.istio.io's own validation refuses is refused here, and what meshproof lacks."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from meshproof.model.reader import read_text
from tests.translate.policy_builders import JWKS

HEAD = "apiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: p{more}}}\n"
POLICY = "AuthorizationPolicy"
TOKENS = "RequestAuthentication"


def refusal(kind: str, spec: str, more: str = "") -> str:
    """The only problem that ``spec`` has, without its place."""
    with pytest.raises(Refused) as caught:
        read_text(HEAD.format(kind=kind, more=more) + f"spec: {spec}\n", "f.yaml")
    (problem,) = caught.value.problems
    assert problem.line > 0
    return f"{problem.field}: {problem.found}"


@pytest.mark.parametrize("kind", [POLICY, TOKENS, "PeerAuthentication"])
def test_a_spec_may_be_left_out(kind: str) -> None:
    (resource,) = read_text(HEAD.format(kind=kind, more=""), "f.yaml")
    assert resource.spec.selector is None


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_both_versions_are_read(version: str) -> None:
    text = HEAD.format(kind=POLICY, more="").replace("io/v1", f"io/{version}")
    assert len(read_text(text, "f.yaml")) == 1


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        ("{action: CUSTOM}", "spec.action", "does not honour yet"),
        ("{provider: {name: x}}", "spec.provider", "does not honour yet"),
        ("{targetRefs: [{kind: Pod, name: a}]}", "spec.targetRefs[0].kind", "Pod"),
        ("{selector: {}, targetRef: {kind: Service, name: a}}", "spec", "more than one"),
        ("{action: DENY}", "spec.action", "DENY without rules"),
        ("{rules: [{from: []}]}", "spec.rules[0].from", "an empty list"),
        ("{rules: [{to: [{operation: {}}]}]}", "spec.rules[0].to[0].operation", "names nothing"),
        ("{rules: [{from: [{source: {principals: []}}]}]}", "spec.rules[0].from[0].source",
         "names nothing"),
        ("{rules: [{from: [{source: {principals: ['']}}]}]}",
         "spec.rules[0].from[0].source.principals[0]", "an empty string"),
        ("{rules: [{from: [{source: {ipBlocks: [x]}}]}]}",
         "spec.rules[0].from[0].source.ipBlocks[0]", "not an address"),
        ("{rules: [{from: [{source: {serviceAccounts: [a], namespaces: [b]}}]}]}",
         "spec.rules[0].from[0].source", "serviceAccounts beside"),
        ("{rules: [{to: [{operation: {ports: ['0']}}]}]}",
         "spec.rules[0].to[0].operation.ports[0]", "not a port"),
        ("{rules: [{to: [{operation: {paths: ['/a*b']}}]}]}",
         "spec.rules[0].to[0].operation.paths[0]", "in its middle"),
        ("{rules: [{to: [{operation: {paths: ['/{**}/{*}']}}]}]}",
         "spec.rules[0].to[0].operation.paths[0]", "behind {**}"),
        ("{rules: [{when: [{key: a.b, values: [x]}]}]}", "spec.rules[0].when[0].key",
         "not an attribute"),
        ("{rules: [{when: [{key: source.ip}]}]}", "spec.rules[0].when[0]", "neither values"),
        ("{rules: [{when: [{key: source.ip, notValues: [x]}]}]}",
         "spec.rules[0].when[0].notValues[0]", "not an address"),
        ("{rules: [{when: [{key: experimental.envoy.filters.a, values: [x]}]}]}",
         "spec.rules[0].when[0].key", "does not honour"),
    ],
)  # fmt: skip
def test_a_policy(spec: str, field: str, words: str) -> None:
    said = refusal(POLICY, spec)
    assert said.startswith(f"{field}: ")
    assert words in said


@pytest.mark.parametrize("value", ["true", "yes"])
def test_a_policy_that_is_only_watched_would_be_enforced_and_is_refused(value: str) -> None:
    more = f", annotations: {{istio.io/dry-run: '{value}'}}"
    assert "only watched" in refusal(POLICY, "{}", more)


def test_a_policy_that_is_not_only_watched_is_read() -> None:
    more = ", annotations: {istio.io/dry-run: 'false', a: b}"
    assert read_text(HEAD.format(kind=POLICY, more=more), "f.yaml")


def test_ports_need_a_selector() -> None:
    said = refusal("PeerAuthentication", "{portLevelMtls: {8080: {mode: STRICT}}}")
    assert said.startswith("spec.portLevelMtls: is set, and there is no selector")


@pytest.mark.parametrize(
    ("rule", "field", "words"),
    [
        ("{issuer: a}", "spec.jwtRules[0]", "neither jwks nor jwksUri"),
        ("{issuer: a, jwks: x}", "spec.jwtRules[0].jwks", "not a JSON web key set"),
        ("{issuer: a, jwks: '{\"keys\": [{}]}'}", "spec.jwtRules[0].jwks", "no key that Envoy"),
        (f"{{issuer: a, jwks: '{JWKS.replace('ZU1', 'AAA')}'}}", "spec.jwtRules[0].jwks",
         "no key that Envoy"),
        ("{issuer: a, jwksUri: 'https://a.test/k'}", "spec.jwtRules[0].jwksUri", "is https"),
        ("{issuer: a, jwksUri: a.test}", "spec.jwtRules[0].jwksUri", "not an address"),
        (f"{{issuer: '', jwks: '{JWKS}'}}", "spec.jwtRules[0].issuer", "an empty string"),
    ],
)  # fmt: skip
def test_a_token_s_rule(rule: str, field: str, words: str) -> None:
    said = refusal(TOKENS, f"{{jwtRules: [{rule}]}}")
    assert said.startswith(f"{field}: ")
    assert words in said


def test_a_good_key_beside_a_bad_one_is_enough() -> None:
    keys = JWKS.replace("[{", "[{}, {")
    spec = f"{{jwtRules: [{{issuer: a, jwks: '{keys}'}}]}}"
    assert read_text(HEAD.format(kind=TOKENS, more="") + f"spec: {spec}\n", "f.yaml")
