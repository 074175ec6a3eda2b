"""A mesh process to be killed by tests: starts processes of the awkward kinds, then waits.

Run as ``python harness.py [--fork] [--pods]``; writes one JSON line when all runs. ``--fork``
leaves a forked copy of this process behind that holds every descriptor, the supervisor's socket
too. With ``--pods`` all runs in pods, as root's some of it as another user.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshproof.host import process_identity, registry, run_folder
from meshproof.host.pod_support import PodsUnavailable
from meshproof.host.pods import Pods
from meshproof.host.process_spec import ProcessSpec
from meshproof.host.processes import find_run
from meshproof.host.supervisor_client import SupervisorClient

DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("daemon", os.getpid(), flush=True)
        time.sleep(1000)
    os._exit(0)
os.wait()
time.sleep(1000)
"""
KINDS = {
    "plain": ["sleep", "1000"],
    "stubborn": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"],
    "workers": ["sh", "-c", "sleep 1000 & sleep 1000 & wait"],
    "daemon": [sys.executable, "-I", "-S", "-c", DAEMON],
}


async def pod(supervisor: SupervisorClient) -> dict[str, Any]:
    """What puts a process into a pod."""
    pods = Pods(supervisor)
    await pods.open()
    await pods.add("a", "127.77.1.1", "a", {})
    return {"pod": "a", **({"user": 65534, "group": 65534} if os.geteuid() == 0 else {})}


async def main() -> None:
    run_id = process_identity.new_run_id()
    folder = run_folder.create(run_id)
    entry = registry.reserve("harness")
    registry.publish(replace(entry, run_id=run_id, run_dir=str(folder)))
    print(json.dumps({"run_id": run_id, "folder": str(folder)}), flush=True)
    supervisor = SupervisorClient()
    lost = asyncio.Event()
    await supervisor.start(run_id, folder, lambda _exit: None, lost.set, orphan_grace=0.2)
    place: dict[str, Any] = {}
    if "--pods" in sys.argv:
        try:
            place = await pod(supervisor)
        except PodsUnavailable as error:
            print(json.dumps({"no_pods": str(error)}), flush=True)
            await supervisor.close(1.0)
            return
    for name, argv in KINDS.items():
        log = str(folder / f"{name}.log")
        spec = ProcessSpec(name, argv, {"PATH": "/usr/bin:/bin"}, "/", log)
        other = {} if name == "daemon" else place  # whose Python another user cannot read
        await supervisor.spawn(replace(spec, **{"pod": place.get("pod", ""), **other}))
    while not (folder / "daemon.log").read_text():
        await asyncio.sleep(0.005)
    if "--fork" in sys.argv and os.fork() == 0:
        time.sleep(1000)  # no exec, which would close the socket; the test kills it
    print(json.dumps({"supervisor": supervisor.pid}), flush=True)
    await lost.wait()
    print(json.dumps({"lost": [p.pid for p in find_run(run_id)]}), flush=True)
    await supervisor.close(1.0)
    print(json.dumps({"folder": Path(folder).exists()}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
