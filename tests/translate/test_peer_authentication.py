"""PeerAuthentication: the mode in force, and its effect on listeners, endpoints and clusters."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.translate.envoy_config import build_outbound, build_sidecar
from meshproof.translate.peer_authentication import mtls_mode
from meshproof.translate.workload_selection import select_policies
from tests.translate.builders import CLIENT, ECHO, destination_rule, service, service_entry, world
from tests.translate.policy_builders import ROOT, peer

LABELS = {"app": "echo"}
HOST = "echo.default.svc.cluster.local"
CLUSTER = f"outbound|80||{HOST}"
ECHO_ONLY = "{selector: {matchLabels: {app: echo}}, mtls: {mode: %s}}"
BY_PORT = "{selector: {matchLabels: {app: echo}}, portLevelMtls: {'8080': {mode: %s}}}"


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ([], "PERMISSIVE"),
        ([peer("{}")], "PERMISSIVE"),
        ([peer("{mtls: {mode: STRICT}}")], "STRICT"),
        ([peer("{mtls: {mode: STRICT}}", "other")], "PERMISSIVE"),
        ([peer("{mtls: {mode: STRICT}}", ROOT)], "STRICT"),
        ([peer("{mtls: {mode: DISABLE}}"), peer("{mtls: {mode: STRICT}}", ROOT)], "DISABLE"),
        ([peer("{mtls: {mode: UNSET}}"), peer("{mtls: {mode: STRICT}}", ROOT)], "STRICT"),
        ([peer("{mtls: {mode: STRICT}}"), peer("{mtls: {mode: DISABLE}}")], "STRICT"),
        ([peer("{mtls: {mode: STRICT}}"), peer(ECHO_ONLY % "DISABLE")], "DISABLE"),
        ([peer(ECHO_ONLY.replace("echo", "x") % "DISABLE")], "PERMISSIVE"),
        ([peer(ECHO_ONLY % "DISABLE", ROOT)], "PERMISSIVE"),
        ([peer(BY_PORT % "DISABLE")], "DISABLE"),
        ([peer("{mtls: {mode: STRICT}}"), peer(BY_PORT % "UNSET")], "STRICT"),
        ([peer((BY_PORT % "DISABLE").replace("8080", "80"))], "PERMISSIVE"),
        ([peer("{selector: {}, mtls: {mode: STRICT}}")], "STRICT"),
    ],
)
def test_the_narrowest_scope_and_the_oldest_rule(policies: list[Any], expected: str) -> None:
    assert mtls_mode(tuple(policies), "default", LABELS, 8080) == expected


def _chains(*policies: Any, **parts: Any) -> list[dict[str, Any]]:
    listeners: Any = build_sidecar(world(peer_authentications=policies, **parts), ECHO[0]).listeners
    chains: list[dict[str, Any]] = listeners["inbound|8080||"]["filter_chains"]
    return chains


def test_strict_takes_mesh_certificates_alone() -> None:
    (chain,) = _chains(peer("{mtls: {mode: STRICT}}"))
    assert chain["filter_chain_match"] == {"transport_protocol": "tls"}
    assert chain["transport_socket"]["typed_config"]["require_client_certificate"] is True


def test_disable_takes_plain_connections_alone() -> None:
    (chain,) = _chains(peer("{mtls: {mode: DISABLE}}"))
    assert chain["filter_chain_match"] == {"transport_protocol": "raw_buffer"}
    assert "transport_socket" not in chain


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("{}", ["tls", "plain", "own-tls"]),
        ("{mtls: {mode: STRICT}}", ["tls"]),
        ("{mtls: {mode: DISABLE}}", ["plain"]),
    ],
)
def test_an_app_s_own_tls_passes_on_a_port_of_bytes(spec: str, names: list[str]) -> None:
    chains = _chains(peer(spec), services=(service("echo", protocol="TCP"),))
    assert [chain["name"] for chain in chains] == names


def test_a_port_of_bytes_has_the_same_modes() -> None:
    (chain,) = _chains(peer("{mtls: {mode: STRICT}}"), services=(service("echo", protocol="TCP"),))
    assert chain["transport_socket"]["typed_config"]["require_client_certificate"] is True


def _modes(*policies: Any) -> dict[str, Any]:
    """Endpoint address -> the transport socket match in its metadata."""
    endpoints: Any = build_outbound(world(peer_authentications=policies), CLIENT).endpoints[CLUSTER]
    return {
        e["endpoint"]["address"]["socket_address"]["address"]: e["metadata"]["filter_metadata"].get(
            "envoy.transport_socket_match"
        )
        for e in endpoints["endpoints"][0]["lb_endpoints"]
    }


def test_clients_speak_tls_to_those_that_take_it() -> None:
    v1 = "{selector: {matchLabels: {version: v1}}, mtls: {mode: DISABLE}}"
    mutual = {"tlsMode": "istio"}
    assert _modes() == {"127.60.0.1": mutual, "127.60.0.2": mutual}
    assert _modes(peer("{mtls: {mode: STRICT}}")) == {"127.60.0.1": mutual, "127.60.0.2": mutual}
    assert _modes(peer(v1)) == {"127.60.0.1": None, "127.60.0.2": mutual}


def test_a_change_of_mode_travels_with_the_endpoints() -> None:
    before = build_outbound(world(), CLIENT)
    after = build_outbound(world(peer_authentications=(peer("{mtls: {mode: DISABLE}}"),)), CLIENT)
    assert before.clusters == after.clusters
    assert before.endpoints != after.endpoints


def _cluster(tls: str, **parts: Any) -> dict[str, Any]:
    rules = (destination_rule(f"{{host: echo, trafficPolicy: {{tls: {tls}}}}}"),)
    clusters: dict[str, Any] = build_outbound(
        world(destination_rules=rules, **parts), CLIENT
    ).clusters
    result: dict[str, Any] = clusters[CLUSTER]
    return result


def test_a_destination_rule_may_switch_tls_off() -> None:
    cluster = _cluster("{mode: DISABLE}")
    assert "transport_socket" not in cluster
    assert "transport_socket_matches" not in cluster


def test_istio_mutual_asks_for_tls_from_every_endpoint() -> None:
    cluster = _cluster("{mode: ISTIO_MUTUAL}")
    context = cluster["transport_socket"]["typed_config"]
    assert context["sni"] == f"outbound_.80_._.{HOST}"
    assert "transport_socket_matches" not in cluster
    named = _cluster("{mode: ISTIO_MUTUAL, sni: a.test, subjectAltNames: ['spiffe://x']}")
    context = named["transport_socket"]["typed_config"]
    validation = context["common_tls_context"]["combined_validation_context"]
    assert context["sni"] == "a.test"
    assert validation["default_validation_context"] == {
        "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": {"exact": "spiffe://x"}}]
    }


def test_simple_checks_the_server_against_a_file() -> None:
    cluster = _cluster("{mode: SIMPLE, caCertificates: /ca.pem, subjectAltNames: [a.test]}")
    context = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    assert context["validation_context"] == {
        "trusted_ca": {"filename": "/ca.pem"},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "a.test"}}],
    }
    assert _by_authority(cluster) == {"auto_sni": True}


def _by_authority(cluster: dict[str, Any]) -> Any:
    (options,) = cluster["typed_extension_protocol_options"].values()
    return options.get("upstream_http_protocol_options")


@pytest.mark.parametrize(
    ("more", "result"),
    [
        ("", {"auto_sni": True, "auto_san_validation": True}),
        (", subjectAltNames: [a.test]", {"auto_sni": True}),
        (", insecureSkipVerify: true", {"auto_sni": True}),
        (", sni: a.test", None),
    ],
)
def test_the_authority_is_sni_and_the_name_to_check_unless_written(more: str, result: Any) -> None:
    assert _by_authority(_cluster(f"{{mode: SIMPLE{more}}}")) == result


@pytest.mark.parametrize(
    ("rule", "checked"), [("", "entry.test"), (", subjectAltNames: [rule.test]", "rule.test")]
)
def test_a_service_entry_says_what_the_certificate_must_say(rule: str, checked: str) -> None:
    entry = service_entry(
        "{hosts: [out.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS,"
        " subjectAltNames: [entry.test]}"
    )
    tls = destination_rule(f"{{host: out.test, trafficPolicy: {{tls: {{mode: SIMPLE{rule}}}}}}}")
    mesh = world(service_entries=(entry,), destination_rules=(tls,))
    cluster: Any = build_outbound(mesh, CLIENT).clusters["outbound|80||out.test"]
    context = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    names = context["validation_context"]["match_typed_subject_alt_names"]
    assert [n["matcher"]["exact"] for n in names] == [checked]


def test_without_a_file_the_public_authorities_are_trusted() -> None:
    context = _cluster("{mode: SIMPLE}")["transport_socket"]["typed_config"]["common_tls_context"]
    assert context["validation_context"]["trusted_ca"]["filename"].endswith("cacert.pem")


def test_mutual_shows_a_certificate_of_its_own() -> None:
    cluster = _cluster(
        "{mode: MUTUAL, clientCertificate: /c.pem, privateKey: /k.pem, insecureSkipVerify: true,"
        " sni: a.test}"
    )
    context = cluster["transport_socket"]["typed_config"]
    assert context["sni"] == "a.test"
    assert context["common_tls_context"]["tls_certificates"] == [
        {"certificate_chain": {"filename": "/c.pem"}, "private_key": {"filename": "/k.pem"}}
    ]
    assert context["common_tls_context"]["validation_context"] == {}


def test_a_workload_s_policies_are_found_by_their_selectors() -> None:
    """As for every kind of policy: a change of another workload's makes no listener anew."""
    mine, others = peer(ECHO_ONLY % "STRICT"), peer(ECHO_ONLY.replace("echo", "x") % "STRICT")
    assert list(select_policies([mine, others], mine.namespace, LABELS)) == [mine]
