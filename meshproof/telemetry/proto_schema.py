"""Message classes of small, stable protobuf schemas that no package of ours carries.

A schema stands beside this module as a ``FileDescriptorProto`` in protobuf's text format: what
protoc makes of a ``.proto`` file. Neither protoc nor generated code is needed to install or change
it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format


def load_messages(name: str) -> dict[str, Any]:
    """Message name -> its class, of the schema ``<name>.txtpb``."""
    text = Path(__file__).with_name(f"{name}.txtpb").read_text(encoding="utf-8")
    schema = text_format.Parse(text, descriptor_pb2.FileDescriptorProto())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(schema)
    descriptors = pool.FindFileByName(schema.name).message_types_by_name
    return {
        message: message_factory.GetMessageClass(descriptor)
        for message, descriptor in descriptors.items()
    }
