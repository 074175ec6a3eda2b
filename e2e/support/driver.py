"""A user of a mesh, to be killed at any moment: ``python -m e2e.support.driver``.

Up, load, rules over and over, a scale, down; one line of JSON for each step that begins. Ends by
itself when all is done.
"""

from __future__ import annotations

import json
import os
import threading

import requests

from e2e.support.tiny import build_mesh
from meshproof.mesh import STDIN, Source

RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: web}}
spec:
  hosts: [web]
  http:
    - match: [{{uri: {{exact: /{number}}}}}]
      directResponse: {{status: 418}}
    - route: [{{destination: {{host: web}}}}]
"""


def say(step: str, **more: str) -> None:
    print(json.dumps({"step": step, **more}), flush=True)


def load(url: str, over: threading.Event) -> None:
    with requests.Session() as session:
        session.trust_env = False
        while not over.is_set():
            session.get(url, timeout=300)


def main() -> None:
    mesh = build_mesh(f"driver-{os.getpid()}")
    say("up", run_id=mesh.run_id)
    over = threading.Event()
    try:
        mesh.up()
        threading.Thread(target=load, args=(mesh.url("web"), over), daemon=True).start()
        say("apply")
        for number in range(30):
            mesh.apply([Source(STDIN, RULE.format(number=number))])
        say("scale")
        mesh.scale("web", 3)
        mesh.scale("web", 1)
    finally:
        over.set()
        say("down")
        mesh.down()
    say("over")


if __name__ == "__main__":
    main()
