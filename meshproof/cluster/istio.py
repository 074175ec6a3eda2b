"""Istio: installed with our profile unless it exists; the Gateway API's kinds on demand."""

from __future__ import annotations

import json
from pathlib import Path

from meshproof.cluster.assets import asset
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.settings import Settings
from meshproof.errors import MeshproofError
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.translate.access_logs import RECORD

READY = "180s"


def profile() -> str:
    """What ``istioctl install -f`` reads. The access log has the embedded mesh's keys, without
    the direction: one format serves all listeners (``evidence.direction`` derives it)."""
    fields = {key: value for key, value in RECORD.items() if value}
    fields["downstream_local"] = "%DOWNSTREAM_LOCAL_ADDRESS%"
    return asset("istio.yaml", {"ACCESS_LOG": json.dumps(fields)})


def install(kubectl: Kubectl, settings: Settings, file: Path) -> None:
    """Istio's control plane and its ingress gateway; ``file`` is where the profile is written.
    istioctl waits for both, and may be run again."""
    values = []
    if settings.istio_hub:
        values.append(f"hub={settings.istio_hub}")
    if settings.istio_tag:
        values.append(f"tag={settings.istio_tag}")
    values += settings.istio_set
    argv = [
        "istioctl", *kubectl.access, "install", "-y", "-f", str(file),
        *[flag for value in values for flag in ("--set", value)],
        "--readiness-timeout", READY,
    ]  # fmt: skip
    kubectl.runner.note(f"installing Istio; istioctl waits up to {READY} for istiod and gateway")
    kubectl.runner.write(file, profile())
    kubectl.runner.run(argv, "installing Istio", timeout=600)


def check_installed(kubectl: Kubectl) -> None:
    """For ``ISTIO_SKIP=1``. Raises MeshproofError where no istiod is ready."""
    deployments = kubectl.get(
        "deploy", "-n", ROOT_NAMESPACE, "-l", "app=istiod", doing="looking for istiod"
    )  # fmt: skip
    ready = sum(d.get("status", {}).get("readyReplicas", 0) for d in deployments)
    if not ready:
        state = "is not ready" if deployments else "does not exist"
        raise MeshproofError(
            f"istiod {state} in namespace {ROOT_NAMESPACE}, although ISTIO_SKIP=1 is set; leave "
            "ISTIO_SKIP unset, or install Istio first"
        )


def install_gateway_api(kubectl: Kubectl, settings: Settings) -> None:
    """Applies ``GATEWAY_API_CRDS`` where the cluster has no Gateway API."""
    if settings.gateway_api_crds is None:
        return
    existing = kubectl.get(
        "crd", "httproutes.gateway.networking.k8s.io", "--ignore-not-found",
        doing="looking for the Gateway API",
    )  # fmt: skip
    if not existing:
        kubectl.run(
            "apply", "--server-side", "-f", str(settings.gateway_api_crds),
            doing="applying the Gateway API's kinds", timeout=120,
        )  # fmt: skip
