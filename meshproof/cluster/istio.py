"""Istio, installed with a profile of ours unless it is there; Gateway API kinds on demand."""

from __future__ import annotations

import json
from pathlib import Path

from meshproof.cluster.assets import asset
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.settings import Settings
from meshproof.errors import MeshproofError
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.translate.hcm import RECORD

READY = "180s"


def profile() -> str:
    """What ``istioctl install -f`` reads. The access log has the embedded mesh's keys, but for
    the direction, which one format for all listeners cannot say (``access_log`` tells it)."""
    fields = {key: value for key, value in RECORD.items() if value}
    fields["downstream_local"] = "%DOWNSTREAM_LOCAL_ADDRESS%"
    return asset("istio.yaml", {"ACCESS_LOG": json.dumps(fields)})


def install(kubectl: Kubectl, settings: Settings, file: Path) -> None:
    """Istio's control plane and its ingress gateway; ``file`` is where the profile is written.
    istioctl waits for both, and may be run again."""
    sets = []
    if settings.istio_hub:
        sets.append(f"hub={settings.istio_hub}")
    if settings.istio_tag:
        sets.append(f"tag={settings.istio_tag}")
    sets += settings.istio_set
    argv = [
        "istioctl", *kubectl.access, "install", "-y", "-f", str(file),
        *[word for one in sets for word in ("--set", one)],
        "--readiness-timeout", READY,
    ]  # fmt: skip
    kubectl.runner.note(f"installing Istio; istioctl waits up to {READY} for istiod and gateway")
    kubectl.runner.write(file, profile())
    kubectl.runner.run(argv, "installing Istio", timeout=600)


def check(kubectl: Kubectl) -> None:
    """``ISTIO_SKIP=1``: istiod is there and takes calls. Raises MeshproofError."""
    found = kubectl.get(
        "deploy", "-n", ROOT_NAMESPACE, "-l", "app=istiod", doing="looking for istiod"
    )  # fmt: skip
    ready = sum(d.get("status", {}).get("readyReplicas", 0) for d in found)
    if not ready:
        what = "is not ready" if found else "is not there"
        raise MeshproofError(
            f"istiod {what} in namespace {ROOT_NAMESPACE}, and ISTIO_SKIP=1 says that it is; leave "
            "ISTIO_SKIP unset, or install Istio first"
        )


def gateway_api(kubectl: Kubectl, settings: Settings) -> None:
    """The Gateway API's kinds from ``GATEWAY_API_CRDS``, where the cluster has none."""
    if settings.gateway_api_crds is None:
        return
    found = kubectl.get(
        "crd", "httproutes.gateway.networking.k8s.io", "--ignore-not-found",
        doing="looking for the Gateway API",
    )  # fmt: skip
    if not found:
        kubectl.run(
            "apply", "--server-side", "-f", str(settings.gateway_api_crds),
            doing="applying the Gateway API's kinds", timeout=120,
        )  # fmt: skip
