"""Random policies: each is refused with file, line and message, or Envoy accepts it.

All that a run accepts stands on one sidecar, so that Envoy is asked once; a refusal is narrowed
down to one policy. ``EXAMPLES`` says how many are drawn (25 in the fast tests).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from meshproof.errors import Refused
from meshproof.model.authorization_policy import Operation, Source
from meshproof.model.kinds import KINDS
from meshproof.model.reader import read_text
from meshproof.translate.envoy_config import build_outbound, build_sidecar
from meshproof.translate.world import Address, Named, Outside, Protocol, Resource
from tests.translate import builders
from tests.translate.policy_builders import JWKS
from tests.translate.static_bootstrap import static_bootstrap

pytestmark = pytest.mark.long


COUNT = int(os.environ.get("EXAMPLES", "25"))
Values = st.SearchStrategy[Any]
_CIDRS = ("10.0.0.1", "10.0.0.0/8", "2001:db8::/32", "10.0.0.1/8")
_GOOD = {
    "principals": ("*", "cluster.local/ns/a/sa/b", "*/sa/b", "cluster.local/*", "a (b", "*+[é"),
    "requestPrincipals": ("*", "i/me", "i/*", "*/me", "*me", "me*", "https://i/a/b", "me"),
    "namespaces": ("default", "f*", "*", "a.b"),
    "serviceAccounts": ("a", "default/a"),
    "ipBlocks": _CIDRS,
    "remoteIpBlocks": _CIDRS,
    "hosts": ("a.test", "*.test", "a.*", "*", "A:80"),
    "ports": ("80", "8080", "65535"),
    "methods": ("GET", "P*", "*T", "*"),
    "paths": ("/a", "/a*", "*/b", "*", "/a/{*}", "/a/{**}", "/{*}/{**}", "x", "/a b", "/a/{**}/b"),
}
_BAD = ("", "65536", "/a*b", "a/b/c", "300.0.0.1", "/{*", "/{**}/{*}", "/x{*}")
_CONDITIONS = {
    **dict.fromkeys(("source.ip", "remote.ip", "destination.ip"), _CIDRS),
    "source.namespace": _GOOD["namespaces"],
    "source.principal": _GOOD["principals"],
    "source.serviceAccount": _GOOD["serviceAccounts"],
    "destination.port": _GOOD["ports"],
    "connection.sni": _GOOD["hosts"],
    "request.auth.principal": _GOOD["requestPrincipals"],
    "request.auth.audiences": ("a", "a*", "*"),
    "request.auth.presenter": ("a",),
    "request.auth.claims[a][b.c]": ("a", "*", "*a"),
    "request.headers[x-a]": ("a", "*", "a*"),
    "request.headers[:method]": ("GET",),
}


def _values(good: tuple[str, ...]) -> Values:
    """Mostly good ones; one list in twenty has one that is none."""
    usual = st.lists(st.sampled_from(good), min_size=1, max_size=3)
    odd = st.lists(st.sampled_from(_BAD), max_size=1)
    return st.integers(0, 19).flatmap(lambda n: usual if n else odd)


def _lists(model: type[Source] | type[Operation]) -> Values:
    """A source or an operation with up to three of its fields."""
    fields = [info.alias or name for name, info in model.model_fields.items()]
    good = {f: _GOOD[f] if f in _GOOD else _GOOD[f[3].lower() + f[4:]] for f in fields}
    chosen = st.lists(st.sampled_from(fields), max_size=3, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({n: _values(good[n]) for n in names}))


def _condition(key: str) -> Values:
    good = _CONDITIONS.get(key, ("a",))
    either = ("values", "notValues")
    return st.fixed_dictionaries({"key": st.just(key)}, optional={e: _values(good) for e in either})


_RULE = st.fixed_dictionaries(
    {},
    optional={
        "from": st.lists(st.fixed_dictionaries({"source": _lists(Source)}), max_size=2),
        "to": st.lists(st.fixed_dictionaries({"operation": _lists(Operation)}), max_size=2),
        "when": st.lists(
            st.sampled_from([*_CONDITIONS, "request.headers", "made.up"]).flatmap(_condition),
            max_size=2,
        ),
    },
)
_POLICY = st.fixed_dictionaries(
    {"action": st.sampled_from(["ALLOW", "DENY", "AUDIT", "ALLOW", "DENY", "CUSTOM"])},
    optional={"rules": st.lists(_RULE, max_size=3)},
)
_TEXT = st.sampled_from(["a", "x-a", "é", "a b", ":x", ""])
_TOKENS = st.fixed_dictionaries(
    {
        "issuer": st.sampled_from(["i.test", "https://i.test/a", "é", ""]),
        "jwks": st.sampled_from([JWKS, JWKS, JWKS, "{}", '{"keys": []}', '{"keys": [{}]}']),
    },
    optional={
        "audiences": st.lists(_TEXT, max_size=2),
        "jwksUri": st.sampled_from(["http://m.test/k", "https://m.test/k", "http://x:0/", "m"]),
        "fromHeaders": st.lists(st.fixed_dictionaries({"name": _TEXT}, optional={"prefix": _TEXT})),
        "fromParams": st.lists(_TEXT, max_size=2),
        "fromCookies": st.lists(_TEXT, max_size=2),
        "outputPayloadToHeader": _TEXT,
        "outputClaimToHeaders": st.lists(
            st.fixed_dictionaries({"header": _TEXT, "claim": _TEXT}), max_size=2
        ),
        "forwardOriginalToken": st.booleans(),
    },
)
_TOKEN_RULES = st.fixed_dictionaries({"jwtRules": st.lists(_TOKENS, min_size=1, max_size=2)})
DRAWN = {
    "AuthorizationPolicy": _POLICY,
    "RequestAuthentication": _TOKEN_RULES,
}
FIELDS = {
    "AuthorizationPolicy": "authorization_policies",
    "RequestAuthentication": "request_authentications",
}


def _draw_policies(kind: str) -> tuple[list[Named[Any]], int]:
    """What is accepted, and how many were refused."""
    accepted: list[Named[Any]] = []
    refused: list[Refused] = []

    @settings(max_examples=COUNT, phases=(Phase.generate,))
    @given(DRAWN[kind])
    def draw(spec: Any) -> None:
        head = {"apiVersion": KINDS[kind].api_versions[0], "kind": kind}
        metadata = {"name": f"p{len(accepted)}", "namespace": "default"}
        text = yaml.safe_dump({**head, "metadata": metadata, "spec": spec})
        try:
            (resource,) = read_text(text, "made.yaml")
        except Refused as error:
            refused.append(error)
        else:
            accepted.append(Named(resource.name, resource.namespace, resource.spec))

    draw()
    assert all(p.line > 0 and p.found for error in refused for p in error.problems)
    return accepted, len(refused)


@pytest.mark.parametrize("protocol", ["HTTP", "TCP"])
@pytest.mark.parametrize("kind", DRAWN)
def test_a_policy_is_refused_by_name_or_accepted_by_envoy(
    kind: str, protocol: Protocol, envoy: Path, secrets: dict[str, Resource], tmp_path: Path
) -> None:
    accepted, refused = _draw_policies(kind)
    assert accepted, "all were refused: nothing was tried"
    assert refused, "none was refused: nothing was tried beyond what is good"

    def validate(policies: Sequence[Named[Any]]) -> str:
        mesh = builders.world(
            services=(builders.service("echo", protocol=protocol),),
            outside=(Outside("m.test", {80: Address("127.60.9.1", 1)}),),
            **{FIELDS[kind]: tuple(policies)},
        )
        me = mesh.replicas[0]
        configs = [build_outbound(mesh, builders.proxy(me)), build_sidecar(mesh, me)]
        path = tmp_path / "envoy.json"
        path.write_text(json.dumps(static_bootstrap(configs, secrets)))
        command = [str(envoy), "--mode", "validate", "-c", str(path), "--log-level", "error"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        return done.stderr[-2000:] if done.returncode else ""

    def find_guilty(policies: Sequence[Named[Any]]) -> str:
        words = validate(policies)
        if not words or len(policies) == 1:
            return words and f"{policies[0].spec!r}\n{words}"
        half = len(policies) // 2
        return find_guilty(policies[:half]) or find_guilty(policies[half:])

    assert find_guilty(accepted) == ""
