"""The pods' name server: what it answers, and that libc believes it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Sequence

import pytest

from meshproof.host import dns_message as dns
from meshproof.host.dns_server import DnsServer, answer

ADDRESSES = {
    "cart.shop.svc.cluster.local": ("127.250.0.7",),
    "db.shop.svc.cluster.local": ("127.16.1.1", "127.16.1.2"),
    "big.shop.svc.cluster.local": tuple(f"127.16.2.{n}" for n in range(1, 60)),
    "empty.shop.svc.cluster.local": (),
    "api.example.com": ("127.251.0.3",),
}
SERVICES = {"_web._tcp.db.shop.svc.cluster.local": ((5432, "db-0.db.shop.svc.cluster.local"),)}
ALIASES = {"shop.shop.svc.cluster.local": "api.example.com"}


class Names:
    def lookup(self, name: str) -> Sequence[str] | None:
        return ADDRESSES.get(name)

    def services(self, name: str) -> Sequence[tuple[int, str]]:
        return SERVICES.get(name, ())

    def canonical(self, name: str) -> str:
        return ALIASES.get(name, "")


def query(name: str, kind: int = dns.A, *, size: int = 0, flags: int = 0x0100) -> bytes:
    header = struct.pack("!HHHHHH", 4711, flags, 1, 0, 0, 1 if size else 0)
    option = struct.pack("!BHHIH", 0, 41, size, 0, 0) if size else b""
    return header + dns.encode_name(name) + struct.pack("!HH", kind, 1) + option


def read(response: bytes) -> tuple[int, bool, list[tuple[int, bytes]]]:
    """Code, whether it is truncated, and type and data of each answer."""
    number, flags, _, count, _, _ = struct.unpack_from("!HHHHHH", response)
    assert number == 4711
    assert flags & 0x8000
    at = response.index(b"\0", 12) + 5
    answers = []
    for _ in range(count):
        at = at + 2 if response[at] >= 0xC0 else response.index(b"\0", at) + 1
        kind, _, ttl, length = struct.unpack_from("!HHIH", response, at)
        assert ttl == 5
        answers.append((kind, response[at + 10 : at + 10 + length]))
        at += 10 + length
    assert at == len(response)
    return flags & 15, bool(flags & 0x200), answers


def ask(name: str, kind: int = dns.A, **more: int) -> tuple[int, bool, list[tuple[int, bytes]]]:
    return read(answer(Names(), query(name, kind, **more)))


def test_a_service_has_its_address_whatever_the_case() -> None:
    expected = (0, False, [(dns.A, socket.inet_aton("127.250.0.7"))])
    assert ask("cart.shop.svc.cluster.local") == expected
    assert ask("CART.Shop.svc.CLUSTER.local") == expected


def test_an_answer_repeats_the_question_in_the_clients_letters() -> None:
    assert b"\x04CaRt\x04" in answer(Names(), query("CaRt.shop.svc.cluster.local"))


def test_a_headless_service_has_the_addresses_of_its_pods() -> None:
    _, _, answers = ask("db.shop.svc.cluster.local")
    assert {socket.inet_ntoa(data) for _, data in answers} == {"127.16.1.1", "127.16.1.2"}


def test_a_known_name_without_an_ipv6_address_is_no_error() -> None:
    assert ask("cart.shop.svc.cluster.local", dns.AAAA) == (0, False, [])
    assert ask("empty.shop.svc.cluster.local") == (0, False, [])


@pytest.mark.parametrize("kind", [dns.A, dns.AAAA, dns.SRV, dns.PTR])
def test_an_unknown_name_does_not_exist(kind: int) -> None:
    assert ask("nowhere.example.org", kind) == (3, False, [])


def test_a_named_port_has_a_service_record() -> None:
    code, _, [(kind, data)] = ask("_web._tcp.db.shop.svc.cluster.local", dns.SRV)
    assert (code, kind) == (0, dns.SRV)
    assert struct.unpack_from("!HHH", data) == (0, 100, 5432)
    assert data[6:] == dns.encode_name("db-0.db.shop.svc.cluster.local")


def test_an_external_name_is_an_alias() -> None:
    code, _, answers = ask("shop.shop.svc.cluster.local")
    assert code == 0
    assert answers == [
        (dns.CNAME, dns.encode_name("api.example.com")),
        (dns.A, socket.inet_aton("127.251.0.3")),
    ]


def test_an_answer_that_does_not_fit_is_truncated_unless_the_client_takes_more() -> None:
    assert ask("big.shop.svc.cluster.local") == (0, True, [])
    code, truncated, answers = ask("big.shop.svc.cluster.local", size=4096)
    assert (code, truncated, len(answers)) == (0, False, 59)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x12\x67\x01\x00",
        query("a.b")[:-3],
        query("a.b")[:14],
        struct.pack("!HHHHHH", 4711, 0x0100, 2, 0, 0, 0) + query("a.b")[12:],
        struct.pack("!HHHHHH", 4711, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c\0\x01\0\x01",
    ],
)
def test_a_malformed_query_is_refused_or_ignored(data: bytes) -> None:
    response = answer(Names(), data)
    assert response == b"" or response[3] & 15 == dns.FORMAT_ERROR


def test_a_response_is_never_answered() -> None:
    assert answer(Names(), query("a.b", flags=0x8180)) == b""


def test_an_update_is_not_implemented() -> None:
    assert ask("cart.shop.svc.cluster.local", flags=5 << 11)[0] == dns.NOT_IMPLEMENTED


async def serve() -> tuple[DnsServer, tuple[str, int], tuple[str, int]]:
    """A server, and where it listens by UDP and by TCP."""
    server = DnsServer(Names)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    tcp = socket.create_server(("127.0.0.1", 0))
    places = udp.getsockname(), tcp.getsockname()
    await server.serve("a", udp, tcp)
    return server, *places


async def ask_by_udp(place: tuple[str, int], data: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        await loop.sock_connect(client, place)
        await loop.sock_sendall(client, data)
        return await asyncio.wait_for(loop.sock_recv(client, 512), 300)


def test_a_pod_whose_queries_never_end_keeps_nobody_from_its_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("meshproof.host.dns_server._CLIENTS", 3)

    async def script() -> None:
        server, udp_place, tcp_place = await serve()
        clients = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection(*tcp_place)
            data = query("big.shop.svc.cluster.local")
            writer.write(struct.pack("!H", len(data)) + data)
            (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), 5))
            await reader.readexactly(length)
            writer.write(b"\0")  # half a length, and never the rest
            clients.append((reader, writer))
        reader, writer = await asyncio.open_connection(*tcp_place)
        assert await asyncio.wait_for(reader.read(), 5) == b"", "one more is turned away"
        assert read(await ask_by_udp(udp_place, query("big.shop.svc.cluster.local")))[1]
        for stream, one in (*clients, (reader, writer)):
            one.write_eof()
            assert await asyncio.wait_for(stream.read(), 5) == b""
            one.close()
            await one.wait_closed()
        server.close()

    asyncio.run(script())


def test_it_serves_udp_and_tcp_and_drops_a_client_that_never_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("meshproof.host.dns_server._IDLE_LIMIT", 0.2)

    async def script() -> None:
        server, place, tcp_place = await serve()
        assert read(await ask_by_udp(place, query("big.shop.svc.cluster.local")))[1]
        reader, writer = await asyncio.open_connection(*tcp_place)
        for _ in range(2):
            data = query("big.shop.svc.cluster.local")
            writer.write(struct.pack("!H", len(data)) + data)
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            assert len(read(await reader.readexactly(length))[2]) == 59
        writer.write(b"\0")  # half a length, and never the rest
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        server.close()

    asyncio.run(script())
