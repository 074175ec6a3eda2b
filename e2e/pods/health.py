"""A gRPC server that is healthy for the service ``shop`` only: ``health.py IP:PORT``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent import futures

import grpc
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

SERVING, NOT_SERVING = 1, 2


def check(service: StringValue, _context: object) -> Int32Value:
    return Int32Value(value=SERVING if service.value == "shop" else NOT_SERVING)


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    read: Callable[[bytes], StringValue] = StringValue.FromString
    method = grpc.unary_unary_rpc_method_handler(check, read, Int32Value.SerializeToString)
    handler = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(sys.argv[1])
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
