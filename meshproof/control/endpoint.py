"""A call over the control socket, declared once: the server serves it, the client sends it.

A verb on a running mesh is one function in ``control/routes``, decorated with ``query``,
``change`` or ``stream``. Its name is the path, its parameters are the fields of the JSON body, its
result is the answer. ``Client.call(endpoint, ...)`` sends it from another process; server and
client need no edit for a new one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from meshproof.control.wire import Json
from meshproof.errors import UsageError

if TYPE_CHECKING:
    from meshproof.control.context import ControlContext
    from meshproof.mesh import Applied

P = ParamSpec("P")
R = TypeVar("R")
Subject = Callable[[Json], str]
"""The arguments of a change -> one short line for the event log."""


class Caller(Protocol):
    """What sends a call: ``control.client.Client``."""

    def call(self, endpoint: Endpoint[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...


class Endpoint(Generic[P, R]):
    """As a class attribute of ``Client`` it is a method with the handler's own parameters."""

    def __init__(
        self,
        handler: Callable[..., object],
        *,
        subject: Subject | None = None,
        immediate: bool = False,
        streaming: bool = False,
    ) -> None:
        """``subject``: of a change, which the event log records. ``immediate``: the handler does
        not block, and is called in the server's event loop. ``streaming``: it yields bytes."""
        self.name = handler.__name__
        self.subject, self.immediate, self.streaming = subject, immediate, streaming
        self._handler = handler
        self.__doc__ = handler.__doc__

    @property
    def path(self) -> str:
        return f"/{self.name.replace('_', '-')}"

    @functools.cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self._handler)

    def arguments(self, *args: P.args, **kwargs: P.kwargs) -> Json:
        """The arguments of a call by name, as the body of its request carries them."""
        _context, *parameters = self._signature.parameters.values()
        bound = self._signature.bind(None, *args, **kwargs).arguments
        named: Json = {p.name: bound[p.name] for p in parameters if p.name in bound}
        for parameter in parameters:
            if parameter.kind is parameter.VAR_KEYWORD:
                named |= named.pop(parameter.name, {})
        return named

    def check(self, arguments: Json) -> None:
        """Raises UsageError for arguments that the handler does not take."""
        try:
            self._signature.bind(None, **arguments)
        except TypeError as error:
            raise UsageError(f"the control socket: {self.path}: {error}") from None

    def run(self, context: ControlContext, arguments: Json) -> Any:
        """Call the handler: the server's side."""
        return self._handler(context, **arguments)

    @overload
    def __get__(self, client: None, owner: type) -> Endpoint[P, R]: ...
    @overload
    def __get__(self, client: Caller, owner: type) -> Callable[P, R]: ...
    def __get__(self, client: Caller | None, owner: type) -> object:
        return self if client is None else functools.partial(client.call, self)


def query(handler: Callable[Concatenate[ControlContext, P], R]) -> Endpoint[P, R]:
    """An endpoint that changes nothing. The handler may block: it runs in a thread."""
    return Endpoint(handler)


def immediate(handler: Callable[Concatenate[ControlContext, P], R]) -> Endpoint[P, R]:
    """An endpoint that answers at once, even while every thread is busy with changes."""
    return Endpoint(handler, immediate=True)


def change(
    subject: Subject,
) -> Callable[[Callable[Concatenate[ControlContext, P], Applied | None]], Endpoint[P, Json]]:
    """An endpoint that changes the mesh, which the event log records. It answers
    ``Applied.as_dict()``, or an empty object for a change without such evidence."""

    def declare(
        handler: Callable[Concatenate[ControlContext, P], Applied | None],
    ) -> Endpoint[P, Json]:
        return Endpoint(handler, subject=subject)

    return declare


def stream(
    handler: Callable[Concatenate[ControlContext, P], Iterator[bytes]],
) -> Endpoint[P, Iterator[bytes]]:
    """An endpoint that answers with bytes as they come. The handler yields ``b""`` when it has
    nothing new, and is then resumed after a pause. It ends with its client, or with the mesh."""
    return Endpoint(handler, streaming=True)
