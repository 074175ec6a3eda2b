"""The formats of single values; each function returns what is wrong, or an empty text.

Istio: ``pkg/config/validation/agent`` and ``pkg/config/labels``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from fractions import Fraction

from meshproof.model.string_types import is_ip, short
from meshproof.model.validation.node import Node, Violations

_LABEL = r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
_DNS_LABEL = re.compile(_LABEL)
_WILDCARD_LABEL = re.compile(rf"\*|(?:\*|\*-)?{_LABEL}")
_QUALIFIED = r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_KEY = re.compile(rf"(?P<prefix>{_LABEL}(?:\.{_LABEL})*/)?(?P<name>{_QUALIFIED})")
_LABEL_VALUE = re.compile(f"(?:{_QUALIFIED})?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")
_UNITS = {"h": 3600, "m": 60, "s": 1}
_FINE_UNITS = {"ms": 10**3, "us": 10**6, "µs": 10**6, "ns": 10**9}
_MILLISECOND = Fraction(1, 1000)
UNIX = "unix://"


def is_dns_label(text: str) -> bool:
    """``IsDNS1123Label``: letters, digits and inner hyphens, at most 63."""
    return len(text) <= 63 and bool(_DNS_LABEL.fullmatch(text))


def dns_label(text: str) -> str:
    if is_dns_label(text):
        return ""
    return f'"{short(text)}" is not one DNS label of letters, digits and inner hyphens'


def ip(text: str) -> str:
    return "" if is_ip(text) else f'"{short(text)}" is not an IP address'


def subnet(text: str) -> str:
    """``ValidateIPSubnet``: an address, or a range such as 10.1.0.0/16."""
    if "/" not in text:
        return ip(text)
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f'"{short(text)}" is not a range of addresses'
    return ""


def fqdn(text: str) -> str:
    """``ValidateFQDN``."""
    return _size(text) or _labels(text, text)


def wildcard_domain(text: str) -> str:
    """``ValidateWildcardDomain``: a name whose first label may be or begin with ``*``."""
    first, dot, rest = text.partition(".")
    if problem := _size(text):
        return problem
    if len(first) > 63 or not _WILDCARD_LABEL.fullmatch(first):
        return f'"{short(text)}" is not a DNS name: its label "{short(first)}" is invalid'
    return _labels(text, rest) if dot else ""


def partial_wildcard(text: str) -> str:
    """``ValidatePartialWildCard``: a ``*`` that is neither all of the name nor its first label."""
    if "*" in text and len(text) > 1 and not text.startswith("*."):
        return f'"{short(text)}" has a * that is only a part of a label'
    return ""


def _size(text: str) -> str:
    if not text:
        return "is empty, and no DNS name"
    return f'"{short(text)}" is longer than 255 characters' if len(text) > 255 else ""


def _labels(whole: str, text: str) -> str:
    parts = text.split(".")
    if _INTEGER.fullmatch(parts[-1]):
        return f'"{short(whole)}" is not a DNS name: its last label is a number'
    if not parts[-1]:
        parts.pop()  # a dot at the end
    bad = next((part for part in parts if not is_dns_label(part)), None)
    if bad is None:
        return ""
    return f'"{short(whole)}" is not a DNS name: its label "{short(bad)}" is invalid'


def covers(pattern: str, name: str) -> bool:
    """``host.Name.SubsetOf``: whether ``pattern`` covers all that ``name`` stands for."""
    if not pattern.startswith("*"):
        return pattern == name
    if name.startswith("*"):
        return len(name) >= len(pattern) and name[1:].endswith(pattern[1:])
    return name.endswith(pattern[1:])


def port(number: float) -> str:
    if 1 <= number <= 65535:
        return ""
    return f"is {number:g}, which is no port"


PORT_RANGE = "1 to 65535"


def duration(text: str) -> str:
    """``ValidateDuration``: at least 1 ms, in whole milliseconds; empty for what is no duration,
    which the schema refuses."""
    seconds = _seconds(text)
    if seconds is None:
        return ""
    if seconds < _MILLISECOND:
        return f'"{text}" is less than a millisecond'
    if seconds % _MILLISECOND:
        return f'"{text}" is finer than a millisecond'
    return ""


DURATION = "1ms or more, in whole milliseconds"


def has_fraction(text: str) -> bool:
    """Whether a duration is not in whole seconds."""
    seconds = _seconds(text)
    return seconds is not None and bool(seconds % 1)


def is_below_a_millisecond(text: str) -> bool:
    seconds = _seconds(text)
    return seconds is not None and seconds < _MILLISECOND


def _seconds(text: str) -> Fraction | None:
    parts = _DURATION_PART.findall(text)
    if text != "0" and (not parts or "".join(map("".join, parts)) != text):
        return None
    total = Fraction(0)
    for amount, unit in parts:
        number = Fraction(amount)
        total += number * _UNITS[unit] if unit in _UNITS else number / _FINE_UNITS[unit]
    return total


def check_durations(node: Node, *names: str) -> Violations:
    for name in names:
        yield from node.get(name).check(duration, DURATION)


def unix_address(text: str) -> str:
    """``ValidateUnixAddress``, of the part after ``unix://``."""
    if not text:
        return "names no socket"
    if text.startswith("@") or (text.startswith("/") and not text.endswith("/")):
        return ""
    return f'"{short(text)}" is not an absolute path of a socket'


def check_labels(node: Node) -> Violations:
    """``labels.Instance.Validate``: keys and values as Kubernetes takes them."""
    for key, value in node.entries():
        match = _LABEL_KEY.fullmatch(key)
        if not match or len(match["name"]) > 63 or len(match["prefix"] or "") > 254:
            yield value.refuse(
                f'"{short(key)}" is not the key of a label', "such as app or a.b/app"
            )
        text = value.text
        if len(text) > 63 or not _LABEL_VALUE.fullmatch(text):
            yield value.refuse(
                f'"{short(text)}" is not the value of a label', "letters, digits, -, _ and ."
            )


def check_selector(labels: Node) -> Violations:
    """``validateWorkloadSelector``, ``ValidateAlphaWorkloadSelector``: of the labels alone."""
    for key, value in labels.entries():
        if not key:
            yield value.refuse("has an empty key", "the name of a label")
        if "*" in key or "*" in value.text:
            yield value.refuse(
                f'"{short(f"{key}={value.text}")}" has a *, and labels are compared as they are',
                "a key and a value without *",
            )


_PROTOCOLS: Mapping[str, str] = {
    **dict.fromkeys(("http", "http2", "http_proxy", "grpc", "grpc-web"), "http"),
    **dict.fromkeys(("https", "tls"), "tls"),
    **dict.fromkeys(("tcp", "udp", "mongo", "redis", "mysql"), "other"),
}
"""``protocol.Parse`` -> http (``IsHTTP``), tls (``IsTLS``), or another."""
PROTOCOLS = "HTTP, HTTP2, GRPC, GRPC-WEB, HTTPS, TLS, TCP, MONGO, REDIS or MYSQL"


def protocol_family(text: str) -> str:
    """``http``, ``tls`` or ``other``; empty for a protocol that Istio does not know."""
    return _PROTOCOLS.get(text.lower(), "")


def protocol(text: str) -> str:
    """``ValidateProtocol``; an empty one is detected by Envoy."""
    return "" if not text or protocol_family(text) else f'"{short(text)}" is not a protocol'


def check_port(node: Node, *, optional: bool = False) -> Violations:
    """A number that is set, and between 1 and 65535."""
    if not node.is_set and optional:
        return
    if problem := port(node.number):
        yield node.refuse(problem if node.is_set else "is missing", PORT_RANGE)


def check_export_to(
    spec: Node, *, namespace: str, may_hide: bool, selects: bool = False
) -> Violations:
    """``validateExportTo``: ``may_hide`` for ServiceEntries, ``selects`` for DestinationRules with
    a workloadSelector."""
    node = spec.get("exportTo")
    targets = [entry.text for entry in node.items()]
    places = [namespace if target == "." else target for target in targets]
    for entry, place in zip(node.items(), places, strict=True):
        if places.count(place) > 1:
            yield node.refuse(f'has "{entry.text}" twice', "each namespace once")
            return
        hidden = place == "~" and may_hide
        if place not in ("*", "") and not hidden and not is_dns_label(place):
            yield entry.refuse(f'"{short(place)}" is not a namespace', 'a namespace, "." or "*"')
    here = [namespace] if namespace else places[:1]
    if selects and places and (places != here or "*" in places):
        yield node.refuse(
            "reaches beyond the own namespace, and workloadSelector is for clients in it", '"."'
        )
    for alone in ("*", "~"):
        if alone in places and len(places) > 1:
            yield node.refuse(f'has "{alone}" beside others', "it alone")
