"""networking.k8s.io/v1 Ingress and IngressClass, as Istio's ingress controller reads them.

What ``networking.k8s.io`` asks of an Ingress is checked here as an API server does
(pkg/apis/networking/validation of Kubernetes).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.field_types import Port
from meshproof.model.kube_fields import NoEffect
from meshproof.model.string_types import NonEmpty

CONTROLLER = "istio.io/ingress-controller"


class ServiceBackendPort(Model):
    name: NonEmpty | None = None
    number: Port | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.name is None) == (self.number is None):
            raise ValueError("has not one of name and number; wanted one")
        return self


class IngressServiceBackend(Model):
    name: NonEmpty
    port: ServiceBackendPort


class IngressBackend(Model):
    service: IngressServiceBackend | None = None
    resource: Annotated[object, NoEffect("Istio routes to Services alone")] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.service is None) == (self.resource is None):
            raise ValueError("has not one of service and resource; wanted one")
        return self


class HTTPIngressPath(Model):
    path: str = ""
    path_type: Literal["Exact", "Prefix", "ImplementationSpecific"]
    backend: IngressBackend

    @model_validator(mode="after")
    def _absolute(self) -> Self:
        free = self.path_type == "ImplementationSpecific" and not self.path
        if not free and not self.path.startswith("/"):
            raise FieldError(f'is "{self.path}"; wanted an absolute path', "path")
        return self


class HTTPIngress(Model):
    paths: Annotated[list[HTTPIngressPath], Field(min_length=1)]


class IngressRule(Model):
    host: str = ""
    """Empty for every host."""
    http: HTTPIngress | None = None


class IngressTLS(Model):
    hosts: list[NonEmpty] = []
    secret_name: str = ""


class IngressSpec(Model):
    ingress_class_name: NonEmpty | None = None
    default_backend: Annotated[
        object, NoEffect("Istio passes over it: write a rule without a host")
    ] = None
    rules: list[IngressRule] = []
    tls: list[IngressTLS] = []

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.rules and self.default_backend is None:
            raise FieldError("is missing; wanted rules or defaultBackend", "rules")
        return self


class IngressClassSpec(Model):
    controller: NonEmpty
    parameters: Annotated[object, NoEffect("Istio reads none")] = None
