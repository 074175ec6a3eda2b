"""Zipkin's protobuf form of spans, as Envoy posts it with ``HTTP_PROTO``.

Envoy spends a third of the time on a request when it writes its spans as JSON (measured: 335 µs a
request with JSON, 218 µs with protobuf, 190 µs without tracing), so the sidecars send protobuf.
The schema is small and frozen (zipkin.proto3, openzipkin/zipkin-api); no package on PyPI carries
it alone, so its fields are declared here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from meshproof.mesh import Span

_KINDS = ("", "CLIENT", "SERVER", "PRODUCER", "CONSUMER")
_Field = descriptor_pb2.FieldDescriptorProto


def _message(name: str, *fields: tuple[int, str, int]) -> descriptor_pb2.DescriptorProto:
    message = descriptor_pb2.DescriptorProto(name=name)
    for number, field, kind in fields:
        message.field.add(name=field, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
    return message


def _classes() -> Any:
    """The class of ListOfSpans; what we do not read (annotations, remote endpoint) is left out."""
    entry = _message("TagsEntry", (1, "key", _Field.TYPE_STRING), (2, "value", _Field.TYPE_STRING))
    entry.options.map_entry = True
    endpoint = _message("Endpoint", (1, "service_name", _Field.TYPE_STRING))
    span = _message(
        "Span",
        (1, "trace_id", _Field.TYPE_BYTES),
        (2, "parent_id", _Field.TYPE_BYTES),
        (3, "id", _Field.TYPE_BYTES),
        (4, "kind", _Field.TYPE_INT32),
        (5, "name", _Field.TYPE_STRING),
        (6, "timestamp", _Field.TYPE_FIXED64),
        (7, "duration", _Field.TYPE_UINT64),
    )
    package = ".meshproof.zipkin."
    span.field.add(
        name="local_endpoint",
        number=8,
        type=_Field.TYPE_MESSAGE,
        type_name=f"{package}Endpoint",
        label=_Field.LABEL_OPTIONAL,
    )
    span.field.add(
        name="tags",
        number=11,
        type=_Field.TYPE_MESSAGE,
        type_name=f"{package}Span.TagsEntry",
        label=_Field.LABEL_REPEATED,
    )
    span.nested_type.append(entry)
    spans = descriptor_pb2.DescriptorProto(name="ListOfSpans")
    spans.field.add(
        name="spans",
        number=1,
        type=_Field.TYPE_MESSAGE,
        type_name=f"{package}Span",
        label=_Field.LABEL_REPEATED,
    )
    file = descriptor_pb2.FileDescriptorProto(
        name="meshproof/zipkin.proto",
        package="meshproof.zipkin",
        syntax="proto3",
        message_type=[endpoint, span, spans],
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("meshproof.zipkin.ListOfSpans")
    )


_ListOfSpans = _classes()


def read(body: bytes) -> Iterator[Span]:
    """The spans of one body. Raises google.protobuf.message.DecodeError for anything else."""
    for raw in _ListOfSpans.FromString(body).spans:
        yield Span(
            trace_id=raw.trace_id.hex(),
            span_id=_hex(raw.id),
            parent_id=_hex(raw.parent_id),
            kind=_KINDS[raw.kind] if raw.kind < len(_KINDS) else "",
            service=raw.local_endpoint.service_name,
            name=raw.name,
            start=raw.timestamp / 1e6,
            duration=raw.duration / 1e6,
            tags=dict(raw.tags),
        )


def _hex(number: bytes) -> str:
    """A span's id as its headers have it. Envoy writes the 64-bit ids (not the trace id) in the
    machine's own byte order (source/extensions/tracers/zipkin/util.h, toByteString)."""
    return f"{int.from_bytes(number, sys.byteorder):016x}" if number else ""


def _bytes(text: str) -> bytes:
    return int(text, 16).to_bytes(8, sys.byteorder) if text else b""


def write(spans: list[Span]) -> bytes:
    """The body that ``read`` reads; for tests and for sending spans of our own."""
    message = _ListOfSpans()
    for span in spans:
        message.spans.add(
            trace_id=bytes.fromhex(span.trace_id),
            id=_bytes(span.span_id),
            parent_id=_bytes(span.parent_id),
            kind=_KINDS.index(span.kind),
            name=span.name,
            timestamp=round(span.start * 1e6),
            duration=round(span.duration * 1e6),
            local_endpoint={"service_name": span.service},
            tags=dict(span.tags),
        )
    data: bytes = message.SerializeToString()
    return data
