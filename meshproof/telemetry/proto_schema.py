"""Small, frozen protobuf schemas that no package of ours carries, declared by their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "double": _Field.TYPE_DOUBLE,
    "bool": _Field.TYPE_BOOL,
    "fixed64": _Field.TYPE_FIXED64,
    "uint64": _Field.TYPE_UINT64,
}
Schema = Mapping[str, str]
"""Message -> its fields, each ``NUMBER NAME TYPE``, one after the other with a comma. A type is one
of protobuf's or another message of the schema; ``*`` before it makes it repeated, ``|`` one of a
choice of which only one is set, ``%`` a map from text to text."""


def classes(package: str, schema: Schema) -> dict[str, Any]:
    """The class of each message."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package.replace('.', '/')}.proto", package=package, syntax="proto3"
    )
    for name, fields in schema.items():
        file.message_type.append(_message(package, name, fields))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = {name: pool.FindMessageTypeByName(f"{package}.{name}") for name in schema}
    return {name: message_factory.GetMessageClass(kind) for name, kind in found.items()}


def _message(package: str, name: str, fields: str) -> descriptor_pb2.DescriptorProto:
    message = descriptor_pb2.DescriptorProto(name=name)
    for text in fields.split(","):
        number, field, kind = text.split()
        if kind == "%":
            kind = "*" + _map_entry(message, field)
        bare = kind.lstrip("*|")
        made = message.field.add(
            name=field,
            number=int(number),
            label=_Field.LABEL_REPEATED if kind[0] == "*" else _Field.LABEL_OPTIONAL,
            type=_TYPES.get(bare, _Field.TYPE_MESSAGE),
            type_name=None if bare in _TYPES else f".{package}.{bare}",
        )
        if kind[0] == "|":
            if not message.oneof_decl:
                message.oneof_decl.add(name="choice")
            made.oneof_index = 0
    return message


def _map_entry(message: descriptor_pb2.DescriptorProto, field: str) -> str:
    """The nested message that protobuf makes a map of; its name from the package on."""
    name = f"{field.title().replace('_', '')}Entry"
    entry = message.nested_type.add(name=name)
    entry.options.map_entry = True
    for number, part in ((1, "key"), (2, "value")):
        entry.field.add(
            name=part, number=number, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL
        )
    return f"{message.name}.{name}"
