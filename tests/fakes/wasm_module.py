"""WebAssembly modules for Envoy, assembled here: filters by proxy-wasm's ABI 0.2.1.

A module keeps its plugin's configuration when it is configured. Then it either adds it to answers
as a header, answers requests itself, or closes connections. Binary format: WebAssembly Core 1.0,
chapter 5; the host's functions: proxy-wasm/spec, abi-versions/v0.2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_I32 = 0x7F
_RESPONSE_HEADERS, _PLUGIN_CONFIGURATION, _DOWNSTREAM = 2, 7, 2
_CONFIG_AT, _CONFIG_SIZE_AT = 8, 12
"""Where the host puts the address and the size of the configuration."""
_TEXT_AT, _FREE_AT = 64, 4096
"""Constants begin at the one; the other is handed out to the host, once."""

_END, _CALL, _DROP, _CONST, _LOAD = 0x0B, 0x10, 0x1A, 0x41, 0x28
_UNREACHABLE = 0x00


@dataclass(frozen=True)
class _Function:
    name: str
    parameters: int
    results: int
    body: bytes


_IMPORTS = (
    ("proxy_get_buffer_bytes", 5),
    ("proxy_add_header_map_value", 5),
    ("proxy_send_local_response", 8),
    ("proxy_close_stream", 1),
)
"""The host's functions, all of which return a status: name and number of parameters."""


def adding(header: str) -> bytes:
    """Adds ``header``, with the plugin's configuration as its value, to every answer."""
    arguments = [
        _const(_RESPONSE_HEADERS),
        _const(_TEXT_AT),
        _const(len(header)),
        _load(_CONFIG_AT),
        _load(_CONFIG_SIZE_AT),
    ]
    body = _call("proxy_add_header_map_value", arguments) + _const(0)
    return _module([_Function("proxy_on_response_headers", 3, 1, body)], header)


def answering(status: int) -> bytes:
    """Answers every request with ``status``."""
    arguments = [_const(status), *[_const(0)] * 6, _const(-1)]
    body = _call("proxy_send_local_response", arguments) + _const(1)
    return _module([_Function("proxy_on_request_headers", 3, 1, body)])


def closing() -> bytes:
    """Closes every connection."""
    body = _call("proxy_close_stream", [_const(_DOWNSTREAM)]) + _const(1)
    return _module([_Function("proxy_on_new_connection", 1, 1, body)])


def crashing() -> bytes:
    """Ends its VM at the first request."""
    return _module([_Function("proxy_on_request_headers", 3, 1, bytes([_UNREACHABLE]))])


def _module(own: Sequence[_Function], text: str = "") -> bytes:
    read = [
        *(_const(_PLUGIN_CONFIGURATION), _const(0)),
        *(_load_local(1), _const(_CONFIG_AT), _const(_CONFIG_SIZE_AT)),
    ]
    functions = [
        _Function("proxy_abi_version_0_2_1", 0, 0, b""),
        _Function("proxy_on_memory_allocate", 1, 1, _const(_FREE_AT)),
        _Function("proxy_on_context_create", 2, 0, b""),
        _Function("proxy_on_vm_start", 2, 1, _const(1)),
        _Function("proxy_on_configure", 2, 1, _call("proxy_get_buffer_bytes", read) + _const(1)),
        *own,
    ]
    signatures = [*((n, 1) for _, n in _IMPORTS), *((f.parameters, f.results) for f in functions)]
    imports = [
        _name("env") + _name(name) + b"\x00" + _unsigned(index)
        for index, (name, _) in enumerate(_IMPORTS)
    ]
    first = len(_IMPORTS)
    exports = [_name(f.name) + b"\x00" + _unsigned(first + i) for i, f in enumerate(functions)] + [
        _name("memory") + b"\x02" + _unsigned(0)
    ]
    code = [_sized(_unsigned(0) + f.body + bytes([_END])) for f in functions]
    data = b"\x00" + _const(_TEXT_AT) + bytes([_END]) + _sized(text.encode())
    return (
        b"\0asm\x01\0\0\0"
        + _section(1, [_signature(*s) for s in signatures])
        + _section(2, imports)
        + _section(3, [_unsigned(first + i) for i in range(len(functions))])
        + _section(5, [b"\x00" + _unsigned(2)])
        + _section(7, exports)
        + _section(10, code)
        + _section(11, [data])
    )


def _signature(parameters: int, results: int) -> bytes:
    return b"\x60" + _vector([bytes([_I32])] * parameters) + _vector([bytes([_I32])] * results)


def _call(name: str, arguments: Sequence[bytes]) -> bytes:
    """A call of the host whose status is of no interest."""
    index = [n for n, _ in _IMPORTS].index(name)
    return b"".join(arguments) + bytes([_CALL]) + _unsigned(index) + bytes([_DROP])


def _const(value: int) -> bytes:
    return bytes([_CONST]) + _signed(value)


def _load(address: int) -> bytes:
    return _const(address) + bytes([_LOAD, 2, 0])


def _load_local(index: int) -> bytes:
    return bytes([0x20]) + _unsigned(index)


def _section(number: int, entries: Sequence[bytes]) -> bytes:
    return bytes([number]) + _sized(_vector(entries))


def _vector(entries: Sequence[bytes]) -> bytes:
    return _unsigned(len(entries)) + b"".join(entries)


def _sized(content: bytes) -> bytes:
    return _unsigned(len(content)) + content


def _name(text: str) -> bytes:
    return _sized(text.encode())


def _unsigned(value: int) -> bytes:
    """LEB128."""
    result = b""
    while value > 0x7F:
        result += bytes([value & 0x7F | 0x80])
        value >>= 7
    return result + bytes([value])


def _signed(value: int) -> bytes:
    """Signed LEB128."""
    result = b""
    while not -64 <= value < 64:
        result += bytes([value & 0x7F | 0x80])
        value >>= 7
    return result + bytes([value & 0x7F])
