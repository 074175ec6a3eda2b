"""Stand-ins for what files alone do not say: how images run, where outside hosts are. Pure.

Nothing is started for a static case, so any command and any address will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from meshproof.model.kube_workloads import WORKLOADS, template_of
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.project import ImageCommand, OutsideHost, Project
from meshproof.project_file import is_host

_COMMAND = ImageCommand.model_validate({"command": ["stand-in", "{ip}:{port}"]})
CLIENT_IMAGE = "meshproof/any-client"
CLIENT = "meshproof-any-client"


def with_stand_ins(project: Project, resources: Sequence[Resource]) -> Project:
    """The project with every image, every host of a ServiceEntry and every ``jwksUri`` in it."""
    images = {image: _COMMAND for r in resources for image in _images(r)}
    declared = {n for host, out in project.outside.items() for n in (host, *out.aliases)}
    outside: dict[str, OutsideHost] = {}
    for resource in resources:
        for host, ports in _hosts(resource):
            if host in declared or not is_host(host) or not ports:
                continue
            former = set(outside[host].ports) if host in outside else set()
            outside[host] = _outside(former | ports)
    return replace(
        project, images={**images, **project.images}, outside={**project.outside, **outside}
    )


def _outside(ports: set[int]) -> OutsideHost:
    """Any address of this machine: a static case sends nothing."""
    return OutsideHost.model_validate({"ports": dict.fromkeys(sorted(ports), 1024)})


def _images(resource: Resource) -> Iterator[str]:
    if resource.kind in WORKLOADS and resource.spec is not None:
        pod = template_of(resource).spec
        for container in (*pod.containers, *pod.init_containers):
            yield container.image


def _hosts(resource: Resource) -> Iterator[tuple[str, set[int]]]:
    """Hosts and addresses that a rule needs outside, each with its ports."""
    if resource.spec is None:
        return
    if resource.kind == "ServiceEntry":
        spec = resource.spec
        if spec.workload_selector is not None:
            return
        ports = {port.number for port in spec.ports}
        targets = {t for port in spec.ports if (t := port.target_port)}
        for name in (*spec.hosts, *(a for a in spec.addresses if "/" not in a)):
            if not name.startswith("*"):
                yield name.lower(), ports | targets
        for endpoint in spec.endpoints:
            if endpoint.address and not endpoint.address.startswith("unix:"):
                yield endpoint.address.lower(), ports | targets | set(endpoint.ports.values())
    elif resource.kind == "RequestAuthentication":
        for rule in resource.spec.jwt_rules:
            if rule.jwks_uri and not rule.jwks:
                uri = urlsplit(rule.jwks_uri)
                yield (
                    (uri.hostname or "").lower(),
                    {uri.port or (443 if uri.scheme == "https" else 80)},
                )


def client_in(namespace: str) -> Resource:
    """A workload that nothing selects, for cases that name no sender."""
    text = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {CLIENT}, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{app: {CLIENT}}}}}
  template:
    metadata: {{labels: {{app: {CLIENT}}}}}
    spec: {{containers: [{{name: client, image: {CLIENT_IMAGE}}}]}}
"""
    return read_text(text, "<client>")[0]
