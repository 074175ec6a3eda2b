"""Loopback blocks: two meshes never share one, and a taken port is replaced."""

from __future__ import annotations

import socket

from meshproof.host.addresses import AddressBlock, can_bind, real_port


def test_two_blocks_at_once_differ_and_a_closed_one_is_free_again() -> None:
    first, second = AddressBlock(), AddressBlock()
    try:
        assert first.number != second.number
        assert not can_bind(f"127.{first.number}.0.1", 15010)
    finally:
        first.close()
        second.close()
    assert can_bind(f"127.{first.number}.0.1", 15010)


def test_slots_are_given_again_and_addresses_do_not_collide() -> None:
    block = AddressBlock()
    try:
        slots = [block.take() for _ in range(600)]
        addresses = {block.gateway} | {f(s) for s in slots for f in (block.sidecar, block.app)}
        assert len(addresses) == 1201
        assert all(0 < int(a.rsplit(".", 1)[1]) < 255 for a in addresses)
        block.release(slots[3])
        assert block.take() == slots[3]
    finally:
        block.close()


def test_a_privileged_port_moves_the_same_way_for_everybody() -> None:
    assert real_port("127.250.1.1", 80) == 8080


def test_a_port_that_somebody_took_is_replaced() -> None:
    with socket.socket() as occupied:
        occupied.bind(("0.0.0.0", 0))
        occupied.listen(1)
        port = occupied.getsockname()[1]
        assert real_port("127.250.1.1", port) != port
