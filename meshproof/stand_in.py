"""A stand-in for an app: it answers every request, and says what it got.

``python -m meshproof.stand_in ADDRESS... [--]``, each ``IP:PORT`` for HTTP, or ``grpc:IP:PORT``.
What follows ``--``, a container's own args, means nothing to it. Over HTTP the answer is 200 with
the request as JSON, or the status that a path such as ``/status/503`` asks for. Every gRPC call is
answered with an empty message, that of ``grpc.health.v1`` with SERVING. It imports nothing of
meshproof, so that it starts at once.
"""

from __future__ import annotations

import json
import os
import re
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

_HEALTH = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"
"""``HealthCheckResponse`` with status SERVING."""
_STATUS = re.compile(r"/status/([2-5]\d\d)\b")
_GRPC = "grpc:"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        status = _STATUS.match(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = {"method": self.command, "path": self.path, "headers": headers}
        text = json.dumps({"pod": os.environ.get("HOSTNAME", ""), **request}).encode()
        self.send_response(int(status[1]) if status else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    # http.server's words
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing: the sidecar logs every request."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


def serve_http(address: str) -> _Server:
    """A server of ``IP:PORT`` that listens, and answers in a thread of its own."""
    ip, _, port = address.rpartition(":")
    server = _Server((ip, int(port)), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def serve_grpc(address: str) -> Any:
    """A gRPC server of ``IP:PORT`` that answers, as long as it is referred to."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (for gRPC alone)

    import grpc  # noqa: PLC0415

    class Every(grpc.GenericRpcHandler):
        """Takes a call of any method, and one message or a stream of them."""

        def service(self, details: Any) -> Any:
            reply = _SERVING if details.method == _HEALTH else b""
            return grpc.stream_unary_rpc_method_handler(lambda requests, _: [*requests] and reply)

    server = grpc.server(ThreadPoolExecutor(8), handlers=[Every()])
    if not server.add_insecure_port(address):
        raise OSError(f"cannot listen at {address}")
    server.start()
    return server


def main(arguments: list[str]) -> None:
    """Serve until the process is ended."""
    addresses = arguments[: arguments.index("--")] if "--" in arguments else arguments
    servers = [
        serve_grpc(a.removeprefix(_GRPC)) if a.startswith(_GRPC) else serve_http(a)
        for a in dict.fromkeys(addresses)
    ]
    if not servers:
        print("stand_in: no address; wanted IP:PORT", file=sys.stderr)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
