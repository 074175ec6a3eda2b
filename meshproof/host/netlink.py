"""Sets up the network of a namespace over netlink: an interface, an address, a route, nat rules.

By hand, because it is little: pyroute2 takes 0.2 s to import and has nat only as raw expressions,
and ``nft`` or ``iptables`` need not be installed. The supervisor uses it, so it imports the
standard library only. Formats: linux/netlink.h, rtnetlink.h, netfilter/nf_tables.h.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence

LOOPBACK = 1
"""Index of ``lo`` in every network namespace."""

_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x400
_NETFILTER = 12
_ERROR = 2
_NEWLINK, _NEWADDR, _NEWROUTE = 16, 20, 24
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NFTABLES = 10
_NEWTABLE, _NEWCHAIN, _NEWRULE = ((_NFTABLES << 8) | number for number in (0, 3, 6))
_NEWSET, _NEWELEMENT, _DELETEELEMENT = ((_NFTABLES << 8) | number for number in (9, 12, 14))
_IFF_UP = 1
_LOCAL_TABLE, _SCOPE_HOST, _TYPE_LOCAL, _PROTO_STATIC = 255, 254, 2, 4
_HOOK_OUTPUT, _PRIORITY_DNAT = 3, -100
_ANSWER_LIMIT = 60.0
"""Seconds for the kernel's answer, which is in the socket before ``send`` returns."""


def bring_up_loopback() -> None:
    """Raise OSError where the kernel refuses."""
    body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, LOOPBACK, _IFF_UP, _IFF_UP)
    _exchange(socket.NETLINK_ROUTE, [_message(_NEWLINK, body)])


def add_address(ip: str) -> None:
    """``ip``/32 on ``lo``."""
    address = socket.inet_aton(ip)
    body = struct.pack("=BBBBI", socket.AF_INET, 32, 0, _SCOPE_HOST, LOOPBACK)
    body += _attribute(1, address) + _attribute(2, address)
    _exchange(socket.NETLINK_ROUTE, [_message(_NEWADDR, body, _CREATE)])


def make_everything_local(source: str) -> None:
    """Every address there is becomes one of this namespace's; ``source`` is the caller's own."""
    body = struct.pack(
        "=BBBBBBBBI",
        socket.AF_INET, 0, 0, 0, _LOCAL_TABLE, _PROTO_STATIC, _SCOPE_HOST, _TYPE_LOCAL, 0,
    )  # fmt: skip
    body += _attribute(4, struct.pack("=I", LOOPBACK)) + _attribute(7, socket.inet_aton(source))
    _exchange(socket.NETLINK_ROUTE, [_message(_NEWROUTE, body, _CREATE)])


Way = tuple[str, str, int, int]
"""The first and the last address (empty: every one) and the port (0: every one) of connections, and
the port of 127.0.0.1 that they are led to."""


def capture(*, own_ip: str, free_prefix: bytes, dns_port: int, ways: Iterable[Way]) -> None:
    """Send the connections that this namespace's processes open to 127.0.0.1.

    DNS (UDP and TCP) goes to ``dns_port``. Every other TCP connection goes where the first way that
    fits leads, except one to ``own_ip`` and to an address whose first bytes are ``free_prefix``.
    """
    udp, tcp = bytes([socket.IPPROTO_UDP]), bytes([socket.IPPROTO_TCP])
    dns = struct.pack("!H", 53)
    rules = [
        [_protocol(), _equals(udp), _port(), _equals(dns), *_redirect(dns_port)],
        [_protocol(), _equals(tcp), _port(), _equals(dns), *_redirect(dns_port)],
        [_destination(len(free_prefix)), _equals(free_prefix), _accept()],
        [_destination(4), _equals(socket.inet_aton(own_ip)), _accept()],
        *([_protocol(), _equals(tcp), *_way(*way)] for way in ways),
    ]
    _commit([_table(), _chain(), *map(_rule, rules)])


def _way(first: str, last: str, port: int, to: int) -> Iterator[bytes]:
    if first:
        yield _destination(4)
        yield _compare(_AT_LEAST, socket.inet_aton(first))
        yield _compare(_AT_MOST, socket.inet_aton(last))
    if port:
        yield _port()
        yield _equals(struct.pack("!H", port))
    yield from _redirect(to)


Place = tuple[str, int]
"""An address and a port."""


def catch_unknown_ports(catch_all: int) -> None:
    """Of an address with a listener at the port ``catch_all``, that listener gets the connections
    to every port where no listener is. ``change_listeners`` says where listeners are."""
    tcp, port = bytes([socket.IPPROTO_TCP]), struct.pack("!H", catch_all)
    rules = [
        [_protocol(), _equals(tcp), *_listeners_key(_port(9)), _is_listener(), _accept()],
        [
            *(_protocol(), _equals(tcp), *_listeners_key(_load(9, port)), _is_listener()),
            *_change_port(port),
        ],
    ]
    _commit([_table(), _listener_set(), _chain(), *map(_rule, rules)])


def change_listeners(new: Iterable[Place], old: Iterable[Place]) -> None:
    """Listeners come and go, all at once. Each must be another than those that are there, or one
    of those."""
    groups = ((_DELETEELEMENT, list(old)), (_NEWELEMENT, list(new)))
    messages = [
        _elements(kind, places[start : start + _GROUP])
        for kind, places in groups
        for start in range(0, len(places), _GROUP)
    ]
    if messages:
        _commit(messages)


# -- nf_tables ----------------------------------------------------------------------------------

_TABLE, _CHAIN, _SET = b"meshproof\0", b"output\0", b"listeners\0"
_GROUP = 1000
"""Elements of one message: an attribute holds 64 KiB."""


def _commit(messages: Sequence[bytes]) -> None:
    """Do all of it or nothing."""
    batch = [_batch(_BATCH_BEGIN), *messages, _batch(_BATCH_END)]
    _exchange(_NETFILTER, batch, answers=len(messages))


def _nf(kind: int, body: bytes = b"", *, resource: int = 0, flags: int = _CREATE) -> bytes:
    header = struct.pack("!BBH", socket.AF_INET, 0, resource)
    return _message(kind, header + body, flags)


def _batch(kind: int) -> bytes:
    header = struct.pack("!BBH", socket.AF_UNSPEC, 0, _NFTABLES)
    return _message(kind, header, 0, acknowledge=False)


def _table() -> bytes:
    return _nf(_NEWTABLE, _attribute(1, _TABLE))


def _chain() -> bytes:
    hook = _attribute(1, struct.pack("!I", _HOOK_OUTPUT))
    hook += _attribute(2, struct.pack("!i", _PRIORITY_DNAT))
    body = _attribute(1, _TABLE) + _attribute(3, _CHAIN) + _nested(4, hook)
    return _nf(_NEWCHAIN, body + _attribute(7, b"nat\0"))


def _listener_set() -> bytes:
    """Addresses with ports: a key of two registers of four bytes each."""
    body = _attribute(1, _TABLE) + _attribute(2, _SET) + _number(3, 0) + _number(5, 8)
    return _nf(_NEWSET, body + _number(10, 1))


def _elements(kind: int, places: Iterable[Place]) -> bytes:
    keys = (socket.inet_aton(ip) + struct.pack("!Hxx", port) for ip, port in places)
    rows = b"".join(_nested(1, _nested(1, _attribute(1, key))) for key in keys)
    return _nf(kind, _attribute(1, _TABLE) + _attribute(2, _SET) + _nested(3, rows))


def _rule(expressions: list[bytes]) -> bytes:
    elements = b"".join(_nested(1, expression) for expression in expressions)
    body = _attribute(1, _TABLE) + _attribute(2, _CHAIN) + _nested(4, elements)
    return _nf(_NEWRULE, body, flags=_CREATE | 0x800)  # appended


def _expression(name: bytes, data: bytes) -> bytes:
    return _attribute(1, name + b"\0") + _nested(2, data)


def _number(attribute: int, value: int) -> bytes:
    return _attribute(attribute, struct.pack("!i", value))


def _protocol() -> bytes:
    return _expression(b"meta", _number(1, 1) + _number(2, 16))


def _destination(length: int) -> bytes:
    """The first bytes of the packet's destination address."""
    return _payload(1, 16, length)


def _port(register: int = 1) -> bytes:
    return _payload(2, 2, 2, register)


def _payload(base: int, offset: int, length: int, register: int = 1) -> bytes:
    data = _number(1, register) + _number(2, base) + _number(3, offset) + _number(4, length)
    return _expression(b"payload", data)


def _listeners_key(port: bytes) -> Iterator[bytes]:
    """The packet's destination address, and beside it what ``port`` loads."""
    yield _payload(1, 16, 4, 8)
    yield port


def _is_listener() -> bytes:
    return _expression(b"lookup", _attribute(1, _SET) + _number(2, 8))


def _equals(value: bytes) -> bytes:
    return _compare(_EQUAL, value)


_EQUAL, _AT_MOST, _AT_LEAST = 0, 3, 5
"""nft_cmp_ops."""


def _compare(how: int, value: bytes) -> bytes:
    return _expression(b"cmp", _number(1, 1) + _number(2, how) + _nested(3, _attribute(1, value)))


def _load(register: int, value: bytes) -> bytes:
    return _expression(b"immediate", _number(1, register) + _nested(2, _attribute(1, value)))


def _accept() -> bytes:
    verdict = _nested(2, _number(1, 1))
    return _expression(b"immediate", _number(1, 0) + _nested(2, verdict))


def _redirect(port: int) -> Iterator[bytes]:
    """dnat to 127.0.0.1, which needs no module beyond nat itself."""
    yield _load(1, socket.inet_aton("127.0.0.1"))
    yield _load(2, struct.pack("!H", port))
    nat = _number(1, 1) + _number(2, socket.AF_INET) + _number(3, 1) + _number(5, 2)
    yield _expression(b"nat", nat)


def _change_port(port: bytes) -> Iterator[bytes]:
    """dnat to another port of the same address."""
    yield _load(2, port)
    yield _expression(b"nat", _number(1, 1) + _number(2, socket.AF_INET) + _number(5, 2))


# -- netlink ------------------------------------------------------------------------------------


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | 0x8000, value)


def _message(kind: int, body: bytes, flags: int = 0, *, acknowledge: bool = True) -> bytes:
    flags |= _REQUEST | (_ACK if acknowledge else 0)
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def _exchange(protocol: int, messages: list[bytes], answers: int = 1) -> None:
    """Send messages and read as many acknowledgements. Raises OSError with the first error."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as link:
        link.settimeout(_ANSWER_LIMIT)
        link.bind((0, 0))
        link.send(b"".join(messages))
        while answers > 0:
            for code in _errors(link.recv(1 << 16)):
                if code:
                    raise OSError(-code, os.strerror(-code))
                answers -= 1


def _errors(data: bytes) -> Iterator[int]:
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if kind == _ERROR:
            yield struct.unpack_from("=i", data, 16)[0]
        data = data[(length + 3) & ~3 :]
