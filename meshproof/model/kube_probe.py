"""A container's probes and lifecycle hooks."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import Model
from meshproof.model.field_types import Port
from meshproof.model.kube_fields import Ignored, NoEffect, PortRef, Seconds
from meshproof.model.string_types import NonEmpty


class HTTPHeader(Model):
    name: NonEmpty
    value: str


class HTTPGet(Model):
    port: PortRef
    path: str = "/"
    scheme: Literal["HTTP"] = "HTTP"
    host: Annotated[Any, NoEffect("the probe goes to the container itself")] = None
    http_headers: list[HTTPHeader] = []


class TCPSocket(Model):
    port: PortRef
    host: Annotated[Any, NoEffect("the probe goes to the container itself")] = None


class ExecAction(Model):
    command: Annotated[list[str], Field(min_length=1)]


class SleepAction(Model):
    seconds: Seconds


class GRPCAction(Model):
    """``grpc.health.v1.Health/Check`` in plain text, as the kubelet calls it."""

    port: Port
    service: str = ""


class Probe(Model):
    http_get: HTTPGet | None = None
    tcp_socket: TCPSocket | None = None
    exec: ExecAction | None = None
    grpc: GRPCAction | None = None
    initial_delay_seconds: Seconds = 0
    period_seconds: Annotated[int, Field(ge=1)] = 10
    timeout_seconds: Annotated[int, Field(ge=1)] = 1
    success_threshold: Annotated[int, Field(ge=1)] = 1
    failure_threshold: Annotated[int, Field(ge=1)] = 3
    termination_grace_period_seconds: Ignored = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        actions = (self.http_get, self.tcp_socket, self.exec, self.grpc)
        if sum(a is not None for a in actions) != 1:
            raise ValueError(
                "has no action or more than one; wanted one of httpGet, tcpSocket, exec, grpc"
            )
        return self


class LifecycleHandler(Model):
    exec: ExecAction | None = None
    http_get: HTTPGet | None = None
    sleep: SleepAction | None = None
    tcp_socket: Ignored = None

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        if sum(a is not None for a in (self.http_get, self.sleep, self.exec)) != 1:
            raise ValueError("has no action or more than one; wanted one of exec, httpGet, sleep")
        return self


class Lifecycle(Model):
    pre_stop: LifecycleHandler | None = None
    post_start: Annotated[Any, NoEffect("it is not called")] = None
    stop_signal: Annotated[Any, NoEffect("the process is stopped with SIGTERM", ("SIGTERM",))] = (
        None
    )
