"""The server's view of one Envoy: what counts as acknowledged, and what does not."""

from __future__ import annotations

import asyncio

import pytest

from meshproof.xds import codec
from meshproof.xds.envoy_client import EnvoyClient, NackError, Resources
from tests.fakes.envoy import FakeEnvoy, cluster, endpoints, route


def acknowledged_now(client: EnvoyClient, type_url: str) -> bool:
    return client._is_acknowledged(type_url, None)


def connected() -> tuple[EnvoyClient, FakeEnvoy]:
    client = EnvoyClient("n")
    envoy = FakeEnvoy(client)
    envoy.connect()
    return client, envoy


def test_only_an_ack_settles() -> None:
    client, envoy = connected()
    client.set(codec.CLUSTERS, {"a": cluster("a")})
    envoy.subscribe(codec.CLUSTERS)
    _, names, nonce = envoy.must_take()
    assert names == ["a"]
    assert not acknowledged_now(client, codec.CLUSTERS)
    envoy.answer(codec.CLUSTERS, nonce)
    assert acknowledged_now(client, codec.CLUSTERS)
    client.set(codec.CLUSTERS, {"a": cluster("a", "2s")})
    assert not acknowledged_now(client, codec.CLUSTERS)


def test_an_empty_set_of_clusters_is_sent_and_settles() -> None:
    client, envoy = connected()
    envoy.subscribe(codec.CLUSTERS)
    _, names, nonce = envoy.must_take()
    assert names == []
    envoy.answer(codec.CLUSTERS, nonce)
    assert acknowledged_now(client, codec.CLUSTERS)


def test_an_ack_of_an_older_response_does_not_settle_a_newer_one() -> None:
    client, envoy = connected()
    client.set(codec.ROUTES, {"r": route("r", "a")})
    envoy.subscribe(codec.ROUTES, "r")
    first = envoy.must_take()
    client.set(codec.ROUTES, {"r": route("r", "b")})
    second = envoy.must_take()
    envoy.answer(codec.ROUTES, first[2])
    assert not acknowledged_now(client, codec.ROUTES)
    envoy.answer(codec.ROUTES, second[2])
    assert acknowledged_now(client, codec.ROUTES)


def test_a_nack_of_an_older_response_is_not_lost() -> None:
    client, envoy = connected()
    client.set(codec.ROUTES, {"r": route("r", "a"), "s": route("s", "a")})
    envoy.subscribe(codec.ROUTES, "r", "s")
    first = envoy.must_take()
    client.set(codec.ROUTES, {"r": route("r", "a"), "s": route("s", "b")})
    second = envoy.must_take()
    assert second[1] == ["s"]  # only what changed is sent again
    envoy.answer(codec.ROUTES, first[2], "bad route")
    envoy.answer(codec.ROUTES, second[2])
    assert client.nack is not None
    assert client.nack.text == "bad route"
    assert not acknowledged_now(client, codec.ROUTES)


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
    client, envoy = connected()
    client.set(type_url, good)
    envoy.subscribe(type_url, *(() if type_url == codec.CLUSTERS else ("a",)))
    envoy.answer(type_url, envoy.must_take()[2])
    client.set(type_url, bad)
    refused = envoy.must_take()
    client.set(type_url, good)
    undone = envoy.must_take()
    assert acknowledged_now(client, type_url) is (type_url == codec.ROUTES)
    envoy.answer(type_url, refused[2], "no such thing")
    assert client.nack is None
    envoy.answer(type_url, undone[2])
    assert acknowledged_now(client, type_url)


def test_settled_raises_what_envoy_said() -> None:
    async def scenario() -> None:
        client, envoy = connected()
        client.set(codec.CLUSTERS, {"a": cluster("a")})
        envoy.subscribe(codec.CLUSTERS)
        waiting = asyncio.create_task(client.wait_acknowledged(codec.CLUSTERS))
        await asyncio.sleep(0)
        envoy.answer(codec.CLUSTERS, envoy.must_take()[2], "no such thing")
        with pytest.raises(NackError, match="n refused Cluster: no such thing"):
            await waiting

    asyncio.run(scenario())


def test_a_name_that_is_asked_for_later_is_answered() -> None:
    client, envoy = connected()
    client.set(codec.ENDPOINTS, {"a": endpoints("a", 1), "b": endpoints("b", 2)})
    envoy.subscribe(codec.ENDPOINTS, "a")
    _, names, nonce = envoy.must_take()
    assert names == ["a"]
    envoy.answer(codec.ENDPOINTS, nonce)
    envoy.subscribe(codec.ENDPOINTS, "a", "b")
    assert envoy.must_take()[1] == ["b"]


def test_a_name_that_comes_back_is_answered_again() -> None:
    client, envoy = connected()
    client.set(codec.ENDPOINTS, {"a": endpoints("a", 1)})
    for names in (("a",), (), ("a",)):
        envoy.subscribe(codec.ENDPOINTS, *names)
        if names:
            _, sent, nonce = envoy.must_take()
            assert sent == ["a"]
            envoy.answer(codec.ENDPOINTS, nonce)


def test_a_name_that_goes_and_comes_back_while_a_response_is_under_way_is_answered_again() -> None:
    """A cluster is pruned and comes back: its endpoints were acknowledged, and Envoy, which has
    dropped them, would warm it for ever."""
    client, envoy = connected()
    client.set(codec.ENDPOINTS, {"a": endpoints("a", 1), "b": endpoints("b", 2)})
    envoy.subscribe(codec.ENDPOINTS, "a", "b")
    envoy.answer(codec.ENDPOINTS, envoy.must_take()[2])
    client.set(codec.ENDPOINTS, {"a": endpoints("a", 1), "b": endpoints("b", 3)})
    envoy.subscribe(codec.ENDPOINTS, "b")
    assert not acknowledged_now(client, codec.ENDPOINTS)
    envoy.subscribe(codec.ENDPOINTS, "a", "b")
    _, names, nonce = envoy.must_take()
    assert names == ["b"]
    envoy.answer(codec.ENDPOINTS, nonce)
    _, names, nonce = envoy.must_take()
    assert names == ["a"]
    envoy.answer(codec.ENDPOINTS, nonce)
    assert acknowledged_now(client, codec.ENDPOINTS)


def test_a_new_stream_is_told_everything_again() -> None:
    client, envoy = connected()
    client.set(codec.CLUSTERS, {"a": cluster("a")})
    envoy.subscribe(codec.CLUSTERS)
    envoy.answer(codec.CLUSTERS, envoy.must_take()[2])
    again = FakeEnvoy(client)
    again.connect()
    assert not acknowledged_now(client, codec.CLUSTERS)
    again.subscribe(codec.CLUSTERS)
    assert again.must_take()[1] == ["a"]
    assert envoy.out.get_nowait() is None  # the former stream is told to end


def test_an_envoy_that_went_away_holds_nobody_up() -> None:
    async def scenario() -> None:
        client, envoy = connected()
        client.set(codec.CLUSTERS, {"a": cluster("a")})
        envoy.subscribe(codec.CLUSTERS)
        waiting = asyncio.create_task(client.wait_acknowledged(codec.CLUSTERS))
        await asyncio.sleep(0)
        assert not waiting.done()
        client.detach(envoy.out)
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
    client, envoy = connected()
    client.set(codec.ROUTES, {"r": route("r", "a")})
    assert acknowledged_now(client, codec.ROUTES)
    client.set(codec.LISTENERS, {"l": listener("l", "r")})
    assert not acknowledged_now(client, codec.ROUTES), "a listener will ask for them"
    envoy.subscribe(codec.ROUTES, "r")
    envoy.answer(codec.ROUTES, envoy.must_take()[2])
    assert acknowledged_now(client, codec.ROUTES)


def test_routes_that_are_asked_for_no_more_are_not_waited_for() -> None:
    """As when a Gateway is deleted."""
    client, envoy = connected()
    client.set(codec.ROUTES, {"r": route("r", "a")})
    envoy.subscribe(codec.ROUTES, "r")
    envoy.answer(codec.ROUTES, envoy.must_take()[2])
    client.set(codec.ROUTES, {"r": route("r", "b")})
    assert not acknowledged_now(client, codec.ROUTES)
    envoy.names[codec.ROUTES] = ()
    envoy.answer(codec.ROUTES, envoy.must_take()[2])
    assert acknowledged_now(client, codec.ROUTES)
