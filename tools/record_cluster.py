"""Records what the real tools print, for the fakes of tests/cluster.

``python -m tools.record_cluster GROUP KUBECONFIG CLUSTER`` replaces the group's lines in
tests/fakes/recordings.jsonl. The groups: ``tools`` (needs a kind cluster), ``bare`` (a kind cluster
without Istio; istioctl begins an installation that never ends), ``mesh`` (one on which this
repository's mesh is up). What a group applies is in a namespace of its own, which it deletes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "tests" / "fakes" / "recordings.jsonl"
NAMESPACE = "recording"
KUBECTL = ("kubectl", "--kubeconfig", "kubeconfig")
OWN = (*KUBECTL, "-n", NAMESPACE)
IN_MESH = (*KUBECTL, "-n", "payments")
PILOT = ("istio-proxy", "--", "pilot-agent", "request", "GET")
SPLIT = """apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: svcb}
spec: {host: svcb, subsets: [{name: v0-1, labels: {version: v0.1}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb}
spec:
  hosts: [svcb]
  http: [{route: [{destination: {host: svcb, subset: v0-1}, weight: 50}]}]
"""
NEVER = """apiVersion: apps/v1
kind: Deployment
metadata: {name: never}
spec:
  selector: {matchLabels: {app: never}}
  template:
    metadata: {labels: {app: never}}
    spec: {containers: [{name: app, image: "no/such:1", imagePullPolicy: Never}]}
"""


@dataclass(frozen=True, slots=True)
class Command:
    """``note`` is how tests name it."""

    argv: tuple[str, ...]
    note: str = ""
    stdin: str = ""
    env: tuple[tuple[str, str], ...] = ()


def tools(cluster: str) -> Iterator[Command]:
    no_docker = (("DOCKER_HOST", "unix:///nonexistent.sock"),)
    yield Command(("docker", "version"), "no daemon", env=no_docker)
    image = ("--image", "no/such:1", "--wait", "10s")
    create = ("kind", "create", "cluster", "--name", NAMESPACE, *image)
    yield Command(create, "image cannot be pulled")
    yield Command(("kind", "load", "docker-image", "no/such:1", "--name", cluster), "no such image")
    node = f"{cluster}-control-plane"
    own_image = run(("docker", "inspect", "--format", "{{.Config.Image}}", node))["stdout"].strip()
    yield Command(("docker", "run", "-d", "--name", node, own_image), "name taken")
    addresses = json.loads(run(("docker", "network", "inspect", "kind"))["stdout"])[0]["IPAM"]
    subnet = next(c["Subnet"] for c in addresses["Config"] if "." in c["Subnet"])
    network = ("docker", "network", "create", "--subnet", subnet, NAMESPACE)
    yield Command(network, "subnet in use")
    server = ("--server", "https://127.0.0.1:1", "get", "nodes")
    yield Command((*KUBECTL, *server), "nothing listens")


def bare(_cluster: str) -> Iterator[Command]:
    yield Command((*KUBECTL, "apply", "--dry-run=server", "-f", "-"), "no Istio", SPLIT)
    install = ("istioctl", "--kubeconfig", "kubeconfig", "install", "-y", "--set")
    image = ("profile=minimal", "--set", "hub=rig.local/istio", "--set", "tag=9.9.9")
    yield Command((*install, *image, "--readiness-timeout", "20s"), "never ready")


def mesh(_cluster: str) -> Iterator[Command]:
    run((*KUBECTL, "create", "namespace", NAMESPACE))
    try:
        run((*OWN, "apply", "-f", "-"), NEVER)
        dry_run = (*OWN, "apply", "--dry-run=server", "-f", "-")
        yield Command(dry_run, "bad weight", SPLIT.replace("weight: 50", "weight: fifty"))
        yield Command(dry_run, "unknown field", SPLIT.replace("  http:", "  htp:"))
        wait = ("wait", "deploy", "--all", "--for=condition=Available", "--timeout=1s")
        yield Command((*OWN, *wait), "not yet")
    finally:
        run((*KUBECTL, "delete", "namespace", NAMESPACE, "--wait=false"))
    yield Command((*IN_MESH, "get", "pods", "-l", "app=svca", "-o", "json"), "svca's pod")
    yield Command((*IN_MESH, "get", "endpointslices", "-o", "json"), "of the suite")
    shell = ("exec", "deploy/svca", "-c", "svca", "--", "sh", "-c", "exit 7")
    yield Command((*IN_MESH, *shell), "the command's own exit code")
    yield Command((*IN_MESH, "exec", "deploy/nobody", "--", "true"), "no such workload")
    for note, resource in (
        ("svca's routes", "dynamic_route_configs"),
        ("svca's BlackHoleCluster", "dynamic_active_clusters&name_regex=^BlackHoleCluster$"),
    ):
        query = ("exec", "deploy/svca", "-c", *PILOT, f"config_dump?resource={resource}")
        yield Command((*IN_MESH, *query), note)


def run(
    argv: Sequence[str], stdin: str = "", env: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    started = time.monotonic()
    done = subprocess.run(
        list(argv), input=stdin, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, **dict(env)},
    )  # fmt: skip
    seconds = round(time.monotonic() - started, 2)
    output, errors = _without_sites(done.stdout), _without_sites(done.stderr)
    return {"rc": done.returncode, "seconds": seconds, "stdout": output, "stderr": errors}


def _without_sites(text: str) -> str:
    """Registries and resolvers are those of whoever records."""
    text = re.sub(r'("image(?:ID)?": ")[\w-]+(?:\.[\w-]+)+(?=/)', r"\1registry.example", text)
    text = re.sub(r'https://[^/"\s]+/v2/', "https://registry.example/v2/", text)
    text = re.sub(r"lookup \S+ on \S+?: ", "lookup registry.example on 192.0.2.53:53: ", text)
    return re.sub(r"dial udp \S+: ", "dial udp 192.0.2.53:53: ", text)


def main() -> None:
    group, kubeconfig, cluster = sys.argv[1:]
    commands = {"tools": tools, "bare": bare, "mesh": mesh}[group]
    records = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    records = [record for record in records if record.get("group") != group]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(kubeconfig, Path(folder) / "kubeconfig")
        os.chdir(folder)
        for command in commands(cluster):
            result = run(command.argv, command.stdin, command.env)
            print(f"{result['rc']:3}  {' '.join(command.argv)}")
            identity = {"group": group, "note": command.note, "argv": command.argv}
            records.append({**identity, "stdin": command.stdin, **result})
    FILE.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")


if __name__ == "__main__":
    main()
