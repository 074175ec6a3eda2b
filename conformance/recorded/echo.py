"""An echo service for mesh conformance runs: says who answered and what it was sent. Standard library only.

usage: echo.py --host H --port P --name echo --version v1
  any path       200, JSON {app, version, method, path, headers}
  /status/N      answers with status N
  /delay/S       answers after S seconds
  /flaky/K/N     fails (503) the first N times it is asked for key K, then 200
  /count/K       how often this replica was asked for /flaky/K/.. or /hit/K
  /hit/K         counts a hit for K
"""
import argparse, collections, json, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
a = argparse.ArgumentParser()
a.add_argument("--host", default="0.0.0.0"); a.add_argument("--port", type=int, default=8080)
a.add_argument("--name", default="echo"); a.add_argument("--version", default="v1")
o = a.parse_args()
seen, lock = collections.Counter(), threading.Lock()

class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # added here: else an answer in two writes waits 40 ms for an ACK
    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = self.path.split("?")[0].strip("/").split("/")
        status, extra = 200, {}
        if parts[0] == "status": status = int(parts[1])
        elif parts[0] == "delay": time.sleep(float(parts[1]))
        elif parts[0] == "flaky":
            with lock: seen[parts[1]] += 1; k = seen[parts[1]]
            if k <= int(parts[2]): status = 503
        elif parts[0] == "hit":
            with lock: seen[parts[1]] += 1
        elif parts[0] == "count":
            with lock: extra = {"count": seen[parts[1]]}
        out = json.dumps({"app": o.name, "version": o.version, "method": self.command, "path": self.path, "bytes": len(body),
                          "headers": {k.lower(): ",".join(self.headers.get_all(k)) for k in self.headers}, **extra}).encode()
        self.send_response(status); self.send_header("content-type", "application/json"); self.send_header("x-app", o.name + "-" + o.version)
        self.send_header("content-length", str(len(out))); self.end_headers()
        if self.command != "HEAD": self.wfile.write(out)
    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = do_PATCH = answer
    def log_message(self, *x): pass
ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer((o.host, o.port), Echo).serve_forever()
