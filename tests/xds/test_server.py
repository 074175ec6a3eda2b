"""The server's view of one Envoy: what counts as acknowledged, and what does not."""

from __future__ import annotations

import asyncio

import pytest

from meshproof.xds import codec
from meshproof.xds.server import EnvoyClient, NackError, Resources
from tests.fakes.envoy import FakeEnvoy, cluster, endpoints, route


def settled_now(sidecar: EnvoyClient, type_url: str) -> bool:
    return sidecar._is_settled(type_url, None)


def connected() -> tuple[EnvoyClient, FakeEnvoy]:
    sidecar = EnvoyClient("n")
    envoy = FakeEnvoy(sidecar)
    envoy.connect()
    return sidecar, envoy


def test_only_an_ack_settles() -> None:
    sidecar, envoy = connected()
    sidecar.set(codec.CLUSTERS, {"a": cluster("a")})
    envoy.subscribe(codec.CLUSTERS)
    _, names, nonce = envoy.must_take()
    assert names == ["a"]
    assert not settled_now(sidecar, codec.CLUSTERS)
    envoy.answer(codec.CLUSTERS, nonce)
    assert settled_now(sidecar, codec.CLUSTERS)
    sidecar.set(codec.CLUSTERS, {"a": cluster("a", "2s")})
    assert not settled_now(sidecar, codec.CLUSTERS)


def test_an_empty_set_of_clusters_is_sent_and_settles() -> None:
    sidecar, envoy = connected()
    envoy.subscribe(codec.CLUSTERS)
    _, names, nonce = envoy.must_take()
    assert names == []
    envoy.answer(codec.CLUSTERS, nonce)
    assert settled_now(sidecar, codec.CLUSTERS)


def test_an_ack_of_an_older_response_does_not_settle_a_newer_one() -> None:
    sidecar, envoy = connected()
    sidecar.set(codec.ROUTES, {"r": route("r", "a")})
    envoy.subscribe(codec.ROUTES, "r")
    first = envoy.must_take()
    sidecar.set(codec.ROUTES, {"r": route("r", "b")})
    second = envoy.must_take()
    envoy.answer(codec.ROUTES, first[2])
    assert not settled_now(sidecar, codec.ROUTES)
    envoy.answer(codec.ROUTES, second[2])
    assert settled_now(sidecar, codec.ROUTES)


def test_a_nack_of_an_older_response_is_not_lost() -> None:
    sidecar, envoy = connected()
    sidecar.set(codec.ROUTES, {"r": route("r", "a"), "s": route("s", "a")})
    envoy.subscribe(codec.ROUTES, "r", "s")
    first = envoy.must_take()
    sidecar.set(codec.ROUTES, {"r": route("r", "a"), "s": route("s", "b")})
    second = envoy.must_take()
    assert second[1] == ["s"]  # only what changed is sent again
    envoy.answer(codec.ROUTES, first[2], "bad route")
    envoy.answer(codec.ROUTES, second[2])
    assert sidecar.nack is not None
    assert sidecar.nack.text == "bad route"
    assert not settled_now(sidecar, codec.ROUTES)


@pytest.mark.parametrize(
    ("type_url", "bad", "good"),
    [
        (codec.CLUSTERS, {"a": cluster("a", "9s")}, {"a": cluster("a")}),
        (codec.ROUTES, {"a": route("a", "bad")}, {"a": route("a", "good")}),
    ],
    ids=["clusters", "routes"],
)
def test_a_late_word_on_an_undone_change_is_none_on_the_next(
    type_url: str, bad: Resources, good: Resources
) -> None:
    sidecar, envoy = connected()
    sidecar.set(type_url, good)
    envoy.subscribe(type_url, *(() if type_url == codec.CLUSTERS else ("a",)))
    envoy.answer(type_url, envoy.must_take()[2])
    sidecar.set(type_url, bad)
    refused = envoy.must_take()
    sidecar.set(type_url, good)
    undone = envoy.must_take()
    assert settled_now(sidecar, type_url) is (type_url == codec.ROUTES)
    envoy.answer(type_url, refused[2], "no such thing")
    assert sidecar.nack is None
    envoy.answer(type_url, undone[2])
    assert settled_now(sidecar, type_url)


def test_settled_raises_what_envoy_said() -> None:
    async def scenario() -> None:
        sidecar, envoy = connected()
        sidecar.set(codec.CLUSTERS, {"a": cluster("a")})
        envoy.subscribe(codec.CLUSTERS)
        waiting = asyncio.create_task(sidecar.settled(codec.CLUSTERS))
        await asyncio.sleep(0)
        envoy.answer(codec.CLUSTERS, envoy.must_take()[2], "no such thing")
        with pytest.raises(NackError, match="n refused Cluster: no such thing"):
            await waiting

    asyncio.run(scenario())


def test_a_name_that_is_asked_for_later_is_answered() -> None:
    sidecar, envoy = connected()
    sidecar.set(codec.ENDPOINTS, {"a": endpoints("a", 1), "b": endpoints("b", 2)})
    envoy.subscribe(codec.ENDPOINTS, "a")
    _, names, nonce = envoy.must_take()
    assert names == ["a"]
    envoy.answer(codec.ENDPOINTS, nonce)
    envoy.subscribe(codec.ENDPOINTS, "a", "b")
    assert envoy.must_take()[1] == ["b"]


def test_a_name_that_comes_back_is_answered_again() -> None:
    sidecar, envoy = connected()
    sidecar.set(codec.ENDPOINTS, {"a": endpoints("a", 1)})
    for names in (("a",), (), ("a",)):
        envoy.subscribe(codec.ENDPOINTS, *names)
        if names:
            _, sent, nonce = envoy.must_take()
            assert sent == ["a"]
            envoy.answer(codec.ENDPOINTS, nonce)


def test_a_new_stream_is_told_everything_again() -> None:
    sidecar, envoy = connected()
    sidecar.set(codec.CLUSTERS, {"a": cluster("a")})
    envoy.subscribe(codec.CLUSTERS)
    envoy.answer(codec.CLUSTERS, envoy.must_take()[2])
    again = FakeEnvoy(sidecar)
    again.connect()
    assert not settled_now(sidecar, codec.CLUSTERS)
    again.subscribe(codec.CLUSTERS)
    assert again.must_take()[1] == ["a"]
    assert envoy.out.get_nowait() is None  # the former stream is told to end


def test_an_envoy_that_went_away_holds_nobody_up() -> None:
    async def scenario() -> None:
        sidecar, envoy = connected()
        sidecar.set(codec.CLUSTERS, {"a": cluster("a")})
        envoy.subscribe(codec.CLUSTERS)
        waiting = asyncio.create_task(sidecar.settled(codec.CLUSTERS))
        await asyncio.sleep(0)
        assert not waiting.done()
        sidecar.detach(envoy.out)
        await waiting

    asyncio.run(scenario())


def listener(name: str, routes: str) -> codec.Encoded:
    """Takes its routes by RDS."""
    ads = {"ads": {}, "resource_api_version": "V3"}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network."
        "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "rds": {"route_config_name": routes, "config_source": ads},
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return codec.encode(codec.LISTENERS, {"name": name, "filter_chains": [chain]})


def test_routes_that_no_listener_names_are_not_waited_for() -> None:
    """A gateway without a Gateway has no listener, and asks for no routes."""
    sidecar, envoy = connected()
    sidecar.set(codec.ROUTES, {"r": route("r", "a")})
    assert settled_now(sidecar, codec.ROUTES)
    sidecar.set(codec.LISTENERS, {"l": listener("l", "r")})
    assert not settled_now(sidecar, codec.ROUTES), "a listener will ask for them"
    envoy.subscribe(codec.ROUTES, "r")
    envoy.answer(codec.ROUTES, envoy.must_take()[2])
    assert settled_now(sidecar, codec.ROUTES)


def test_routes_that_are_asked_for_no_more_are_not_waited_for() -> None:
    """As when a Gateway is deleted."""
    sidecar, envoy = connected()
    sidecar.set(codec.ROUTES, {"r": route("r", "a")})
    envoy.subscribe(codec.ROUTES, "r")
    envoy.answer(codec.ROUTES, envoy.must_take()[2])
    sidecar.set(codec.ROUTES, {"r": route("r", "b")})
    assert not settled_now(sidecar, codec.ROUTES)
    envoy.names[codec.ROUTES] = ()
    envoy.answer(codec.ROUTES, envoy.must_take()[2])
    assert settled_now(sidecar, codec.ROUTES)
