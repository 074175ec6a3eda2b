"""A gRPC server that takes every method and says who it is: ``grpc_app.py IP PORT``."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc


class AnyMethod(grpc.GenericRpcHandler):
    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler[bytes, bytes]:
        method = handler_call_details.method

        def answer(_request: bytes, _context: grpc.ServicerContext) -> bytes:
            return f"{os.environ['WHO']} {method}".encode()

        return grpc.unary_unary_rpc_method_handler(answer)


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((AnyMethod(),))
    server.add_insecure_port(f"{sys.argv[1]}:{sys.argv[2]}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
