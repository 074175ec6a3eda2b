"""A web server with bad habits on demand: ``app.py IP PORT``; ``MODE`` says which habit."""

from __future__ import annotations

import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODE = os.environ.get("MODE", "")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        ready = MODE != "never-ready"
        body = os.environ.get("WORD", "hello").encode()
        self.send_response(200 if ready or self.path != "/readyz" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing: the log is searched for the app's last line."""


def main() -> None:
    if MODE == "die":
        print("no database, no service", file=sys.stderr, flush=True)
        sys.exit(3)
    if MODE == "tells":
        print("my word is", os.environ["WORD"], flush=True)
    if MODE == "everywhere":
        beside = socket.create_server(("0.0.0.0", 0))
        print("also at port", beside.getsockname()[1], flush=True)
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()


if __name__ == "__main__":
    main()
