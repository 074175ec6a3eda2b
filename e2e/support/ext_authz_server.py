"""An external authorization server: ``ext_authz_server.py http|grpc IP PORT``.

It allows what has the header ``x-ext-authz: allow``, as the server of Istio's task does; waits as
many seconds as ``x-wait`` says; and tells what it saw in headers of its answer.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DENIED = "denied by ext_authz"


def decide(headers: Mapping[str, str]) -> bool:
    time.sleep(float(headers.get("x-wait", "0")))
    return headers.get("x-ext-authz") == "allow"


class Check(BaseHTTPRequestHandler):
    """The check of an ext_authz filter by HTTP, at any path."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        received = self.rfile.read(size).decode()
        allowed = decide({name.lower(): value for name, value in self.headers.items()})
        body = b"" if allowed else DENIED.encode()
        self.send_response(200 if allowed else 403)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-result", "allowed" if allowed else "denied")
        self.send_header("x-check-path", self.path)
        self.send_header("x-check-body", received)
        self.send_header("x-check-headers", " ".join(sorted(n.lower() for n in self.headers)))
        self.send_header("x-check-extra", self.headers.get("x-extra", ""))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Silent."""


def serve_grpc(address: str) -> None:
    """envoy.service.auth.v3.Authorization."""
    import grpc  # noqa: PLC0415  # slow, and not for the server by HTTP
    from envoy.service.auth.v3 import external_auth_pb2 as auth  # noqa: PLC0415

    def check(request: Any, _context: Any) -> Any:
        attributes = request.attributes
        http = attributes.request.http
        response = auth.CheckResponse()
        if http.path:
            allowed = decide(http.headers)
        else:  # a TCP connection: its caller must have an identity
            allowed = attributes.source.principal.endswith("/sa/client")
        if not allowed:
            response.status.code = grpc.StatusCode.PERMISSION_DENIED.value[0]
            response.denied_response.status.code = 403
            response.denied_response.body = DENIED
            return response
        for name, value in (
            ("x-result", "allowed"),
            ("x-check-body", http.body),
            ("x-check-principal", attributes.source.principal),
        ):
            header = response.ok_response.headers.add()
            header.header.key, header.header.value = name, value
        return response

    server = grpc.server(futures.ThreadPoolExecutor(4))
    method = grpc.unary_unary_rpc_method_handler(
        check, auth.CheckRequest.FromString, auth.CheckResponse.SerializeToString
    )
    service = "envoy.service.auth.v3.Authorization"
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {"Check": method})]
    )
    server.add_insecure_port(address)
    server.start()
    threading.Event().wait()


def main() -> None:
    kind, ip, port = sys.argv[1:]
    if kind == "grpc":
        serve_grpc(f"{ip}:{port}")
    else:
        ThreadingHTTPServer((ip, int(port)), Check).serve_forever()


if __name__ == "__main__":
    main()
