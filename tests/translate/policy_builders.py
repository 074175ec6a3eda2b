"""Builders of security, Telemetry, Sidecar and EnvoyFilter rules from YAML."""

from __future__ import annotations

from typing import Any

import yaml

from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.model import envoy_filter, sidecar, telemetry
from meshproof.model.authorization_policy import AuthorizationPolicy
from meshproof.model.base_model import Model
from meshproof.model.peer_authentication import PeerAuthentication
from meshproof.model.request_authentication import RequestAuthentication
from meshproof.translate.world import Named

MODELS: dict[str, type[Model]] = {
    "PeerAuthentication": PeerAuthentication,
    "AuthorizationPolicy": AuthorizationPolicy,
    "RequestAuthentication": RequestAuthentication,
    "Sidecar": sidecar.Sidecar,
    "EnvoyFilter": envoy_filter.EnvoyFilter,
    "Telemetry": telemetry.Telemetry,
}
ROOT = ROOT_NAMESPACE
JWKS = (
    '{"keys": [{"kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "use": "sig",'
    ' "x": "ZU1IY1ni10DtfcsuD2HFxBwYR2JpqbMelAov1sdH2Hk",'
    ' "y": "8Jw-mpUnTvKBIHe73yOvXsivvFCsekEVaAO58Qgf69Y"}]}'
)


def rule(kind: str, text: str, name: str = "p", namespace: str = "default") -> Named[Any]:
    return Named(name, namespace, MODELS[kind].model_validate(yaml.safe_load(text)))


def peer(text: str, namespace: str = "default") -> Named[PeerAuthentication]:
    return rule("PeerAuthentication", text, namespace=namespace)


def policy(text: str, name: str = "p", namespace: str = "default") -> Named[AuthorizationPolicy]:
    return rule("AuthorizationPolicy", text, name, namespace)
