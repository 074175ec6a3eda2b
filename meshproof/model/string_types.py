"""Strings that go to Envoy unchanged: hosts, header names and values. Pure.

They follow Istio's own validation (pkg/config/validation). What Istio accepts and Envoy would
refuse is refused here, where it still has a line number.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from meshproof.model.envoy_commands import command_problem, format_problem

_LABEL = r"[A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"\*|(\*[.-]?)?{_LABEL}(\.{_LABEL})*")
_ADDRESS = re.compile(r"[-A-Za-z0-9_.:]+(/[0-9]+)?")
_HEADER = re.compile(r":?[A-Za-z0-9!#$%&'*+\-.^_`|~]+")
_CONTROL = re.compile(r"[\x00\r\n]")


def is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _check_host(text: str) -> str:
    is_name = _HOST.fullmatch(text.removesuffix(".")) and len(text) <= 255
    if not is_name and not is_ip(text):
        raise ValueError(f'"{short(text)}" is not a host; wanted a DNS name, *suffix or an address')
    return text


def _check_gateway_host(text: str) -> str:
    namespace, slash, host = text.rpartition("/")
    if slash and not re.fullmatch(r"\*|\.|~|[-a-z0-9]+", namespace):
        raise ValueError(f'"{short(text)}" is not a host; wanted HOST or NAMESPACE/HOST')
    _check_host(host)
    return text


def check_address(text: str) -> str:
    """Return ``text`` if it is an address or a name. Raises ValueError."""
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f'"{short(text)}" is not an address; wanted an IP address or a DNS name')
    return text


def _check_service(text: str) -> str:
    return text if _ADDRESS.fullmatch(text) else _check_host(text)


def _check_label(text: str) -> str:
    if not re.fullmatch(_LABEL, text):
        raise ValueError(f'"{short(text)}" is not a name; wanted letters, digits and -')
    return text


def check_domain(text: str) -> str:
    """Return ``text`` if it consists of labels separated by dots. Raises ValueError."""
    if not all(re.fullmatch(_LABEL, part) for part in text.split(".")) or len(text) > 100:
        raise ValueError(f'"{short(text)}" is not a domain; wanted names with dots between them')
    return text


def check_header_name(text: str) -> str:
    """Return ``text`` if it can be the name of a header. Raises ValueError."""
    if not _HEADER.fullmatch(text):
        raise ValueError(
            f'"{short(text)}" is not the name of a header; wanted letters, digits and -'
        )
    return text


def _check_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("has a line break or NUL; wanted a single line")
    return text


def _check_format(text: str) -> str:
    """Envoy replaces ``%REQ(X)%`` and the like; a literal ``%`` is written ``%%``."""
    if problem := format_problem(text) or command_problem(text):
        raise ValueError(f"{problem}; wanted %COMMAND%, and %% for one %")
    return text


def short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."


Host = Annotated[str, AfterValidator(_check_host)]
"""A DNS name, ``*``, a ``*`` before a name (``*.suffix``, ``*-suffix``), or an IP address."""
GatewayHost = Annotated[str, AfterValidator(_check_gateway_host)]
"""The same, optionally after ``NAMESPACE/``."""
Address = Annotated[str, AfterValidator(check_address)]
"""An IP address, a range of them, or a DNS name."""
Domain = Annotated[str, AfterValidator(check_domain)]
"""Labels separated by dots."""
Label = Annotated[str, AfterValidator(_check_label)]
"""One part of a DNS name."""
Service = Annotated[str, AfterValidator(_check_service)]
"""Any of these: what 0.4 accepted as a service."""
HeaderName = Annotated[str, AfterValidator(check_header_name)]
Line = Annotated[str, AfterValidator(_check_line)]
"""A text without line breaks."""
HeaderValue = Annotated[str, AfterValidator(_check_format)]


NonEmpty = Annotated[str, Field(min_length=1)]
