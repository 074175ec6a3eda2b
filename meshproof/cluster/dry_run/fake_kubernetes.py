"""A Kubernetes with Istio on which every command of kubectl succeeds."""

from __future__ import annotations

import json
from typing import Any

import yaml

from meshproof.cluster import versions
from meshproof.istio_names import outbound_cluster, service_host

Json = dict[str, Any]
CommandOutput = tuple[int, str, str]
"""Exit code, standard output, standard error."""

OK: CommandOutput = (0, "", "")
NODE = "meshproof-control-plane"
_NOTHING_SENT = {
    "log": "", "stats": {"sent": 0, "requests": 0, "failures": 0},
    "records": "H4sIAAAAAAAC/wMAAAAAAAAAAAA=",
}  # fmt: skip
_OWNED = ("Deployment", "Service", "VirtualService", "DestinationRule", "ServiceEntry", "Gateway")
_BY_LABEL = (
    "namespace",
    "telemetry.telemetry.istio.io,envoyfilter.networking.istio.io",
    "clusterrole,clusterrolebinding",
)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FakeKubernetes:
    """Holds what was applied; pods are derived from Deployments, endpoints from Services."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Json] = {}
        self.restarts: dict[str, int] = {}
        """Pod -> how often each of its containers was restarted."""

    def answer(self, argv: list[str], stdin: str) -> CommandOutput:  # noqa: PLR0911, PLR0912  # a table
        if argv[:2] == ["version", "--client"]:
            return (0, json.dumps({"clientVersion": {"gitVersion": f"v{versions.KUBERNETES}"}}), "")
        if argv[0] not in ("--kubeconfig", "--context"):
            raise AssertionError(f"no such command is known: kubectl {argv}")
        rest = argv[2:]
        namespace = ""
        if rest[0] == "-n":
            namespace, rest = rest[1], rest[2:]
        match rest:
            case ["apply", "--dry-run=server", "-f", "-"]:
                return self.apply(_documents(stdin), dry_run=True)
            case ["apply", "-f", "-"]:
                return self.apply(_documents(stdin), dry_run=False)
            case ["apply", "--server-side", "-f", _]:
                return OK
            case ["delete", "--ignore-not-found", "-f", "-"]:
                for d in _documents(stdin):
                    self.objects.pop(_key(d), None)
                return OK
            case ["apply" | "delete", "-k", _, *_]:
                return OK
            case ["set", "env", "deploy/zipkin", _]:
                return OK
            case ["delete", "configmap,service,job", "-l", "app=load", *_]:
                for key in [k for k, d in self.objects.items() if _app(d) == "load"]:
                    del self.objects[key]
                return OK
            case ["delete", what, *_] if what in _BY_LABEL:
                return OK
            case ["delete", "pod", _, "--grace-period=0", "--force", "--wait=false"]:
                return OK
            case ["get", "--raw", _]:
                return (0, json.dumps({"spans": [], "dropped": 0}), "")
            case ["get", *what]:
                return (0, json.dumps({"items": self.get(what, namespace)}), "")
            case ["rollout", "status", name, _]:
                return self.rollout(namespace, name.removeprefix("deploy/"))
            case ["exec", *arguments]:
                separator = arguments.index("--")
                pod = next(a for a in arguments if a != "-i")
                return self.execute(namespace, pod, arguments[separator + 1 :], stdin)
            case ["logs", name, *_]:
                return (0, self.log(namespace, name), "")
        raise AssertionError(f"no such command is known: kubectl {argv}")

    def apply(self, documents: list[Json], *, dry_run: bool) -> CommandOutput:
        if not dry_run:
            for document in documents:
                self.objects[_key(document)] = document
        return OK

    def get(self, what: list[str], _namespace: str) -> list[Json]:
        namespace = what[what.index("-n") + 1] if "-n" in what else ""
        if "-A" in what:
            return [d for k, d in self.objects.items() if k[0] in _OWNED and _is_owned(d)]
        kinds = {"nodes": "Node", "namespaces": "Namespace", "deploy": "Deployment",
                 "services": "Service"}  # fmt: skip
        match what[0]:
            case "pods":
                selector = _selector(what)
                owners = [*self._deployments(namespace), *self._jobs(namespace)]
                pods = [p for d in owners for p in self.pods(d)]
                return [p for p in pods if selector.items() <= p["metadata"]["labels"].items()]
            case "endpointslices":
                return self.slices(namespace)
            case "service":
                service = self.objects.get(("Service", namespace, what[1]), {"spec": {}})
                return [{**service, "spec": {**service["spec"], "clusterIP": "10.96.0.9"}}]
            case "crd" | "events" | "deployments,statefulsets,pods,services":
                return []
        kind = kinds[what[0]]
        return [d for k, d in self.objects.items() if k[0] == kind and namespace in ("", k[1])]

    def _deployments(self, namespace: str) -> list[Json]:
        return [
            d
            for k, d in self.objects.items()
            if k[0] in ("Deployment", "StatefulSet") and k[1] == namespace
        ]

    def _jobs(self, namespace: str) -> list[Json]:
        return [d for k, d in self.objects.items() if k[:2] == ("Job", namespace)]

    def pods(self, deployment: Json) -> list[Json]:
        """A ready pod a replica, with a native sidecar; gateways have Envoy as their container."""
        metadata, spec = deployment["metadata"], deployment["spec"]
        labels = spec["template"]["metadata"]["labels"]
        proxy = [{"name": "istio-proxy"}]
        account = spec["template"]["spec"].get("serviceAccountName", "default")
        containers = proxy if "istio" in labels else spec["template"]["spec"]["containers"]
        return [
            {
                "metadata": {
                    "name": f"{metadata['name']}-{n}",
                    "namespace": metadata["namespace"],
                    "labels": labels,
                },
                "spec": {
                    "containers": containers,
                    "initContainers": [] if "istio" in labels else proxy,
                    "nodeName": NODE,
                    "serviceAccountName": account,
                },
                "status": {
                    "phase": "Running",
                    "podIP": _ip(metadata["name"], n),
                    "conditions": [{"type": "Ready", "status": "True"}],
                    "containerStatuses": [
                        self._container_status(f"{metadata['name']}-{n}", c["name"])
                        for c in (*containers, *proxy)
                    ],
                },
            }
            for n in range(spec.get("replicas", spec.get("completions", 1)))
        ]

    def _container_status(self, pod: str, name: str) -> Json:
        restarts = self.restarts.get(pod, 0)
        return {"name": name, "containerID": f"containerd://{pod}.{name}", "restartCount": restarts}

    def slices(self, namespace: str) -> list[Json]:
        """One EndpointSlice a Service."""
        slices = []
        for (kind, object_namespace, name), service in self.objects.items():
            if (kind, object_namespace) != ("Service", namespace):
                continue
            selector = service["spec"]["selector"].items()
            addresses = [
                p["status"]["podIP"]
                for d in self._deployments(namespace)
                for p in self.pods(d)
                if selector <= p["metadata"]["labels"].items()
            ]
            labels = {"kubernetes.io/service-name": name}
            metadata = {"name": name, "namespace": namespace, "labels": labels}
            endpoints = [{"addresses": [a], "conditions": {"ready": True}} for a in addresses]
            slices.append({"metadata": metadata, "endpoints": endpoints})
        return slices

    def rollout(self, _namespace: str, _name: str) -> CommandOutput:
        return OK

    def log(self, _namespace: str, _pod: str) -> str:
        return ""

    def execute(self, namespace: str, pod: str, argv: list[str], _stdin: str) -> CommandOutput:
        match argv:
            case ["pilot-agent", "request", "GET", path]:
                return (0, self.admin(namespace, pod, path), "")
            case ["python3", "-m", "meshproof.traffic.cluster_worker", "--ended", _]:
                return (0, "0", "")
            case ["python3", "-m", "meshproof.traffic.cluster_worker", "--collect"]:
                return (0, json.dumps(_NOTHING_SENT), "")
        return OK

    def admin(self, namespace: str, _pod: str, path: str) -> str:
        """Envoy shows its namespace's newest mark, and has the current endpoints."""
        if path.startswith("config_dump?resource=dynamic_active_clusters"):
            return json.dumps({"configs": [{"cluster": self._marked(namespace)}]})
        if path.startswith("config_dump?resource=dynamic_route_configs"):
            return json.dumps({"configs": [{"route_config": self._marked(namespace)}]})
        if path.startswith("config_dump"):
            return json.dumps({"configs": []})
        if path.startswith("clusters"):
            statuses = [
                {
                    "name": outbound_cluster(80, service_host(s["metadata"]["name"], namespace)),
                    "host_statuses": [
                        {"address": {"socket_address": {"address": a}}}
                        for e in s["endpoints"]
                        for a in e["addresses"]
                    ],
                }
                for s in self.slices(namespace)
            ]
            return json.dumps({"cluster_statuses": statuses})
        return json.dumps({"stats": []}) if "json" in path else ""

    def _marked(self, namespace: str) -> Json:
        """A resource with the metadata that the mark's EnvoyFilter merges into it."""
        mark = self.objects.get(("EnvoyFilter", namespace, "live-mark"))
        value = mark["spec"]["configPatches"][0]["patch"]["value"] if mark else {}
        return {"name": "BlackHoleCluster", **value}


def _app(document: Json) -> str:
    return str((document["metadata"].get("labels") or {}).get("app", ""))


def _is_owned(document: Json) -> bool:
    return (document["metadata"].get("labels") or {}).get("meshproof") == "owned"


def _documents(text: str) -> list[Json]:
    return [d for d in yaml.load_all(text, _LOADER) if d]


def _key(document: Json) -> tuple[str, str, str]:
    metadata = document["metadata"]
    return (document["kind"], metadata.get("namespace", ""), metadata["name"])


def deployment(name: str, namespace: str, labels: dict[str, str]) -> Json:
    template = {"metadata": {"labels": labels}, "spec": {"containers": []}}
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }


def _ip(name: str, number: int) -> str:
    return f"10.244.{sum(name.encode()) % 250}.{number + 2}"


def _selector(what: list[str]) -> dict[str, str]:
    """The labels of ``-l a=b,c=d``."""
    if "-l" not in what:
        return {}
    pairs = (one.partition("=") for one in what[what.index("-l") + 1].split(","))
    return {name: value for name, _, value in pairs}
