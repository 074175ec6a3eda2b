"""Random rules from the models: each is refused by name, or Envoy accepts its configuration.

``EXAMPLES=1000 pytest tests/property`` draws so many a kind, new ones each time (25 in the fast
tests, always the same). All that a run makes goes into one
configuration, so that Envoy is asked once; a refusal is narrowed down to one rule.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from meshproof.admission.store import Store
from meshproof.embedded.config.world_builder import build_world
from meshproof.errors import Refused
from meshproof.model.kinds import KINDS, Kind
from meshproof.model.reader import read_text
from meshproof.translate.envoy_config import build_gateway, build_outbound, build_sidecar
from meshproof.translate.world import Address, Config, Outside, Resource
from tests.property.strategies import document
from tests.translate import builders
from tests.translate.static_bootstrap import static_bootstrap

pytestmark = pytest.mark.long


KINDS_MADE = (
    "VirtualService", "DestinationRule", "ServiceEntry", "Gateway", "HTTPRoute",
    "RouteRule", "DestinationPolicy", "EgressRule",
)  # fmt: skip
COUNT = int(os.environ.get("EXAMPLES", "25"))
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: default}
spec: {selector: {app: echo}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: default}
spec: {selector: {app: other}, ports: [{name: grpc, port: 80, targetPort: 8080}]}
"""
OUTSIDE = (
    Outside("m.test", {80: Address("127.60.9.1", 1), 443: Address("127.60.9.1", 2)}),
    Outside("a.m.test", {80: Address("127.60.9.2", 1)}),
)
Made = tuple[str, list[Config]]


def _text(kind: Kind, spec: Any) -> str:
    head = {"apiVersion": kind.api_versions[0], "kind": kind.name}
    metadata = {"name": "made", "namespace": "default"}
    return yaml.safe_dump({**head, "metadata": metadata, kind.body: spec})


def _configs(text: str, secrets: dict[str, Any]) -> list[Config]:
    """What a sidecar and a gateway get. Raises Refused with a place and words, or nothing."""
    resources = read_text(f"{SERVICES}---\n{text}", "made.yaml")
    mesh = build_world(Store().apply(resources)[0], builders.ECHO, OUTSIDE)
    pair = secrets["default"]["tls_certificate"]
    chain, key = (pair[n]["inline_string"] for n in ("certificate_chain", "private_key"))
    mesh = builders.with_certificate(mesh, chain, key)
    client = builders.replica("client", "v1", "127.60.0.9")
    return [
        build_outbound(mesh, builders.proxy(client)),
        build_sidecar(mesh, builders.ECHO[0]),
        build_outbound(mesh, builders.GATEWAY),
        build_gateway(mesh, builders.GATEWAY, "127.60.1.1", {}),
    ]


def _check_refusal(refused: Refused) -> None:
    for problem in refused.problems:
        assert problem.file == "made.yaml"
        assert problem.line > 0
        assert problem.found, "a refusal says what it found"


@pytest.mark.parametrize("name", KINDS_MADE)
def test_a_rule_is_refused_by_name_or_accepted_by_envoy(
    name: str, envoy: Path, secrets: dict[str, Resource], tmp_path: Path
) -> None:
    kind, result, refused = KINDS[name], [], []

    @settings(max_examples=COUNT, phases=(Phase.generate, Phase.shrink))
    @given(document(kind.model))
    def draw(spec: Any) -> None:
        text = _text(kind, spec)
        try:
            result.append((text, _configs(text, secrets)))
        except Refused as error:
            _check_refusal(error)
            refused.append(text)

    draw()
    assert len(result) + len(refused) >= COUNT
    print(f"{name}: {len(result)} accepted, {len(refused)} refused")
    guilty = _refused_by_envoy(envoy, result, secrets, tmp_path)
    assert guilty is None, "Envoy refuses what this makes:\n{}\n{}".format(*guilty or ("", ""))


def _refused_by_envoy(
    envoy: Path, result: Sequence[Made], secrets: dict[str, Resource], folder: Path
) -> tuple[str, str] | None:
    """The first rule that Envoy does not take, with its words."""
    if not result:
        return None
    message = _validate(envoy, result, secrets, folder)
    if not message:
        return None
    if len(result) == 1:
        return result[0][0], message
    half = len(result) // 2
    return _refused_by_envoy(envoy, result[:half], secrets, folder) or _refused_by_envoy(
        envoy, result[half:], secrets, folder
    )


def _validate(
    envoy: Path, result: Sequence[Made], secrets: dict[str, Resource], folder: Path
) -> str:
    path = folder / "envoy.json"
    path.write_text(json.dumps(_join_bootstraps(result, secrets)))
    done = subprocess.run(
        [envoy, "--mode", "validate", "-c", path, "--log-level", "error"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stderr[:300] + done.stderr[-700:] if done.returncode else ""


def _join_bootstraps(result: Sequence[Made], secrets: dict[str, Resource]) -> dict[str, Any]:
    """One bootstrap: clusters and listeners of all, under names and ports of their own."""
    whole: dict[str, Any] = static_bootstrap([], secrets)
    static = whole["static_resources"]
    known = {c["name"] for c in static["clusters"]}
    ports = iter(range(20000, 65000))
    for number, (_, configs) in enumerate(result):
        for side, pair in enumerate((configs[:2], configs[2:])):
            own = static_bootstrap(pair, secrets)["static_resources"]
            mark = f"{number}.{side}."
            static["clusters"] += list(_clusters(own["clusters"], known, mark))
            for listener in own["listeners"]:
                if "internal_listener" not in listener:
                    listener["address"]["socket_address"]["port_value"] = next(ports)
                static["listeners"].append({**listener, "name": mark + listener["name"]})
    return whole


def _clusters(result: list[Any], known: set[str], mark: str) -> Iterator[Any]:
    for cluster in result:
        if cluster["name"] in known:
            continue
        renamed = {**cluster, "name": mark + cluster["name"]}
        if "load_assignment" in renamed:
            assignment = {**renamed["load_assignment"], "cluster_name": renamed["name"]}
            renamed["load_assignment"] = assignment
        yield renamed


def test_what_is_drawn_is_neither_all_refused_nor_all_accepted() -> None:
    """The test above is worth its time only as long as both ends are reached."""
    accepted: set[str] = set()
    refused: set[str] = set()

    @settings(max_examples=120, phases=(Phase.generate,))
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        for name in KINDS_MADE:
            kind = KINDS[name]
            text = _text(kind, data.draw(document(kind.model)))
            try:
                read_text(text, "made.yaml")
                accepted.add(name)
            except Refused:
                refused.add(name)

    draw()
    assert accepted == set(KINDS_MADE)
    assert refused == set(KINDS_MADE)
