"""Gateway servers that terminate TLS, or redirect to HTTPS."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.envoy_config import build_gateway, build_outbound
from meshproof.translate.world import TlsSecret, World
from tests.translate import builders
from tests.translate.builders import GATEWAY, virtual_service, world

SHOP = "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [shop.test], tls: {mode: SIMPLE, credentialName: shop}}"  # noqa: E501
REST = SHOP.replace("name: https", "name: rest").replace("[shop.test]", "['*']")
SECRET = TlsSecret("shop", "istio-system", "CHAIN", "KEY")


def _world(*servers: str, secrets: tuple[TlsSecret, ...] = (SECRET,)) -> World:
    rule = "{hosts: ['*'], gateways: [gw], http: [{route: [{destination: {host: echo}}]}]}"
    named = builders.gateway(
        f"{{selector: {{istio: ingressgateway}}, servers: [{', '.join(servers)}]}}"
    )
    return world(gateways=(named,), virtual_services=(virtual_service(rule),), tls_secrets=secrets)


def _listeners(mesh: World) -> dict[str, Any]:
    listeners: Any = build_gateway(mesh, GATEWAY, "127.60.1.1", {443: 1443}).listeners
    return {k: v for k, v in listeners.items() if k != "probe"}


def test_each_https_server_has_its_chain_its_table_and_the_secret() -> None:
    config = _world(SHOP, REST)
    (listener,) = _listeners(config).values()
    assert listener["address"]["socket_address"]["port_value"] == 1443
    assert listener["listener_filters"][0]["name"] == "envoy.filters.listener.tls_inspector"
    first, second = listener["filter_chains"]
    assert first["filter_chain_match"] == {"server_names": ["shop.test"]}
    assert "filter_chain_match" not in second
    context = first["transport_socket"]["typed_config"]["common_tls_context"]
    assert context["tls_certificates"] == [
        {
            "certificate_chain": {"inline_string": "CHAIN"},
            "private_key": {"inline_string": "KEY"},
        }
    ]
    assert set(build_outbound(config, GATEWAY).routes) == {
        "https.443.https.gw.default",
        "https.443.rest.gw.default",
    }


def test_a_server_that_shares_a_name_with_an_older_one_is_left_out_whole() -> None:
    """Envoy would refuse a listener with one name in two chains."""
    both = SHOP.replace("name: https", "name: both").replace(
        "[shop.test]", "[default/Shop.test, b.test]"
    )
    last = SHOP.replace("name: https", "name: last").replace("[shop.test]", "[b.test]")
    config = _world(SHOP, both, last)
    (listener,) = _listeners(config).values()
    names = [chain["filter_chain_match"]["server_names"] for chain in listener["filter_chains"]]
    assert names == [["shop.test"], ["b.test"]]


@pytest.mark.parametrize("secret", [None, TlsSecret("shop", "default", "C", "K")])
def test_without_the_secret_in_the_gateway_s_namespace_nothing_listens(
    secret: TlsSecret | None,
) -> None:
    assert _listeners(_world(SHOP, secrets=(secret,) if secret else ())) == {}


def test_https_redirect() -> None:
    config = _world(
        "{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.test],"
        "tls: {httpsRedirect: true}}"
    )
    table: Any = build_outbound(config, GATEWAY).routes["http.80"]
    assert [(v["domains"], v.get("require_tls")) for v in table["virtual_hosts"]] == [
        (["shop.test"], "ALL")
    ]
