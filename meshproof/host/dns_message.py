"""DNS messages as a pod's name server reads and writes them (RFC 1035, 2782, 6891). Pure."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import dataclass

A, CNAME, PTR, AAAA, SRV, _OPT = 1, 5, 12, 28, 33, 41
_INTERNET = 1
NO_ERROR, FORMAT_ERROR, NAME_ERROR, NOT_IMPLEMENTED = 0, 1, 3, 4
_HEADER = struct.Struct("!HHHHHH")
_RESPONSE, _AUTHORITATIVE, _TRUNCATED, _RECURSION_DESIRED, _RECURSION_AVAILABLE = (
    0x8000,
    0x0400,
    0x0200,
    0x0100,
    0x0080,
)
_OPCODE = 0x7800
_PLAIN_LIMIT = 512
"""Bytes of a UDP answer to a client that names no size of its own."""
TTL = 5
"""Seconds that an answer may be kept: CoreDNS' default for the names of a cluster."""


class MalformedQuery(ValueError):
    """The bytes are no query; ``header`` is what can be answered to, if anything."""


@dataclass(frozen=True, slots=True)
class Query:
    number: int
    flags: int
    name: str
    """Lower case, without the final dot."""
    kind: int
    question: bytes
    """As it came: an answer repeats it, in the letters that the client chose."""
    limit: int
    """Bytes that an answer over UDP may have."""

    @property
    def standard(self) -> bool:
        """Opcode QUERY, the only one that is answered."""
        return not self.flags & _OPCODE


@dataclass(frozen=True, slots=True)
class Record:
    """One answer. ``name`` is empty where it is that of the question."""

    kind: int
    data: bytes
    name: str = ""


def address_record(ip: str, name: str = "") -> Record:
    return Record(A, ipaddress.IPv4Address(ip).packed, name)


def alias_record(target: str) -> Record:
    return Record(CNAME, encode_name(target))


def service_record(port: int, target: str) -> Record:
    """Priority 0, weight 100, as CoreDNS answers for one port."""
    return Record(SRV, struct.pack("!HHH", 0, 100, port) + encode_name(target))


def encode_name(name: str) -> bytes:
    labels = [label.encode("ascii", errors="replace") for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def parse_query(data: bytes) -> Query:
    """Raises MalformedQuery."""
    try:
        number, flags, questions, answers, authorities, extra = _HEADER.unpack_from(data)
        if flags & _RESPONSE or questions != 1:
            raise MalformedQuery("not one question")
        name, end = _parse_name(data, _HEADER.size)
        kind, _ = struct.unpack_from("!HH", data, end)
        limit = _PLAIN_LIMIT
        if not answers and not authorities and extra:
            limit = _parse_size(data, end + 4)
    except (struct.error, IndexError) as error:
        raise MalformedQuery("it ends too soon") from error
    return Query(number, flags, name, kind, data[_HEADER.size : end + 4], limit)


def _parse_name(data: bytes, at: int) -> tuple[str, int]:
    labels = []
    while length := data[at]:
        if length > 63:
            raise MalformedQuery("a compressed name in a question")
        label = data[at + 1 : at + 1 + length]
        if len(label) < length:
            raise MalformedQuery("it ends too soon")
        labels.append(label.decode("ascii", errors="replace").lower())
        at += 1 + length
    return ".".join(labels), at + 1


def _parse_size(data: bytes, at: int) -> int:
    """The size in an OPT record, which has the root as its name."""
    root, kind, size = struct.unpack_from("!BHH", data, at)
    return max(_PLAIN_LIMIT, size) if root == 0 and kind == _OPT else _PLAIN_LIMIT


def build_response(
    query: Query, code: int, records: Sequence[Record] = (), *, limit: int | None = None
) -> bytes:
    """``limit`` is how many bytes fit; what does not is left out, and the client asks over TCP."""
    flags = _RESPONSE | _AUTHORITATIVE | _RECURSION_AVAILABLE | code
    flags |= query.flags & (_RECURSION_DESIRED | _OPCODE)
    parts = [_encode_record(record) for record in records]
    size = _HEADER.size + len(query.question) + sum(map(len, parts))
    if limit is not None and size > limit:
        flags, parts = flags | _TRUNCATED, []
    header = _HEADER.pack(query.number, flags, 1, len(parts), 0, 0)
    return header + query.question + b"".join(parts)


def _encode_record(record: Record) -> bytes:
    owner = encode_name(record.name) if record.name else struct.pack("!H", 0xC000 | _HEADER.size)
    fixed = struct.pack("!HHIH", record.kind, _INTERNET, TTL, len(record.data))
    return owner + fixed + record.data
