"""The numbers that a gateway's ports have on this machine."""

from __future__ import annotations

import socket

import pytest

from meshproof.embedded.gateway_ports import GatewayPorts
from tests.translate.envoy_process import loopback_prefix


@pytest.fixture
def ip() -> str:
    return f"{loopback_prefix()}.1"


def test_a_privileged_port_is_moved_and_gives_way_to_one_that_is_not(ip: str) -> None:
    ports = GatewayPorts(ip)
    numbers = ports.bind([80, 8080])
    assert numbers[8080] == 8080
    assert numbers[80] not in (80, 8080)
    assert ports.bind([8080, 80]) == numbers


def test_a_declared_port_keeps_its_number(ip: str) -> None:
    ports = GatewayPorts(ip)
    before = ports.bind([80, 8080])
    ports.settle([80])
    assert ports.bind([80]) == {80: before[80]}
    assert ports.bind([80, 8080]) == before


def test_one_that_gave_way_has_its_usual_number_the_next_time(ip: str) -> None:
    ports = GatewayPorts(ip)
    ports.bind([80, 8080])
    ports.settle([])
    assert ports.bind([80]) == {80: 8080}
    numbers = ports.bind([80, 8080])
    assert numbers[80] == 8080
    assert numbers[8080] != 8080


def test_a_change_that_is_taken_back_moves_nothing(ip: str) -> None:
    """Nothing has settled in between."""
    ports = GatewayPorts(ip)
    before = ports.bind([80, 8080])
    ports.bind([])
    assert ports.bind([80, 8080]) == before


def test_a_port_that_somebody_has_is_moved(ip: str) -> None:
    with socket.socket() as other:
        other.bind((ip, 8080))
        assert GatewayPorts(ip).bind([8080])[8080] != 8080
