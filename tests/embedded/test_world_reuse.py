"""A new world has the objects of the last one where those are equal, and only there."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from meshproof.embedded.config.world_reuse import WorldReuse
from meshproof.translate.envoy_config import CLUSTER_INPUTS, build_outbound_clusters, cluster_inputs
from meshproof.translate.world import World
from tests.translate import builders
from tests.translate.policy_builders import rule

SERVICES = (builders.service("echo"), builders.service("other"))


def _rule(seconds: int, name: str = "echo") -> Any:
    text = f"{{hosts: [{name}], http: [{{timeout: {seconds}s, route: [{{destination: {{host: {name}}}}}]}}]}}"  # noqa: E501
    return builders.virtual_service(text, name)


def _world(seconds: int) -> World:
    rules = (_rule(seconds), _rule(1, "other"))
    replicas = tuple(replace(r) for r in builders.ECHO)
    services = tuple(replace(s) for s in SERVICES)
    return builders.world(services=services, replicas=replicas, virtual_services=rules)


def test_what_is_equal_is_the_same_object() -> None:
    reuse = WorldReuse()
    first, second = reuse.of(_world(3)), reuse.of(_world(3))
    for field in fields(World):
        assert getattr(first, field.name) is getattr(second, field.name)


def test_of_a_change_only_what_changed_is_new() -> None:
    reuse = WorldReuse()
    first, second = reuse.of(_world(3)), reuse.of(_world(4))
    assert second == _world(4)
    assert second.services is first.services
    assert second.virtual_services is not first.virtual_services
    assert second.virtual_services[1] is first.virtual_services[1]
    assert second.virtual_services[0].spec.http[0].timeout == 4


class _Recorder(World):
    """A world that tells which of its fields are read."""

    def __getattribute__(self, name: str) -> Any:
        if name in World.__dataclass_fields__:
            _READ.add(name)
        return super().__getattribute__(name)


_READ: set[str] = set()


@pytest.mark.parametrize("proxy", [builders.CLIENT, builders.GATEWAY], ids=["sidecar", "gateway"])
def test_clusters_depend_on_nothing_but_their_inputs(proxy: Any) -> None:
    """A field that is read and not named there would be missed when it changes."""
    entry = builders.service_entry(
        "{hosts: [a.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC,"
        " endpoints: [{address: 127.0.0.9}]}"
    )
    rules = (builders.destination_rule(),)
    recorder = _Recorder(**vars(builders.world(service_entries=(entry,), destination_rules=rules)))
    _READ.clear()
    build_outbound_clusters(recorder, proxy)
    # The index of rules is built with the view; only a Sidecar makes clusters depend on it.
    assert not _READ - {*CLUSTER_INPUTS, "virtual_services"}
    assert "hosts" not in _READ
    assert "services" in _READ


def test_rules_are_inputs_of_clusters_under_a_sidecar() -> None:
    rules = (_rule(3),)
    plain = builders.world(virtual_services=rules)
    assert cluster_inputs(plain)[-1] == ()
    limited = replace(plain, sidecars=(rule("Sidecar", "{egress: [{hosts: ['./*']}]}"),))
    assert cluster_inputs(limited)[-1] is rules
