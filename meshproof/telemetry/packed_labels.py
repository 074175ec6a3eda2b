"""Labels of Istio's metrics, packed into one tag of Envoy's: for each request Envoy encodes every
tag of every metric anew, so that one costs less than seventeen. Pure.

The tag's value is ``name=value`` for each label, separated by a control character, which no header
can hold. Labels whose values come from one text of Istio's, such as an endpoint's
``svcb-v1;demo;svcb;v0.1``, share an item: ``destination_workload,destination_app=svcb;demo``. An
empty name leaves out the value at its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TAG = "labels"
_ITEM, _NAME, _VALUE = "\x1f", ",", ";"
_ENVOY = "envoy_istio_"
_SAMPLE = re.compile(rf'(\w+)\{{{TAG}="((?:[^"\\]|\\.)*)"')


def pack(formats: Mapping[str, str]) -> str:
    """Label or labels -> format, as one format of Envoy's."""
    return _ITEM.join(f"{names}={value}" for names, value in formats.items())


def remove_label(formats: Mapping[str, str], label: str) -> dict[str, str]:
    """``formats`` without a label."""
    result = {}
    for names, value in formats.items():
        kept = ["" if name == label else name for name in names.split(_NAME)]
        if any(kept):
            result[_NAME.join(kept)] = value
    return result


def join_values(*values: str) -> str:
    """The text that labels of one item share."""
    return _VALUE.join(values)


def unpack(page: str) -> str:
    """A page of Envoy's metrics with Istio's names and labels."""
    seen: dict[str, str] = {}
    lines = (_unpack_line(line, seen) for line in page.splitlines())
    return "".join(f"{line}\n" for line in lines).replace(_ENVOY, "istio_")


def _unpack_line(line: str, seen: dict[str, str]) -> str:
    """``seen`` has the labels of tags: a page repeats each for every bucket of a histogram."""
    match = _SAMPLE.match(line) if line.startswith(_ENVOY) else None
    if match is None:
        return line
    name, packed = match.groups()
    if packed not in seen:
        seen[packed] = unpack_labels(packed)
    return f"{name}{{{seen[packed]}{line[match.end() :]}"


def unpack_labels(packed: str) -> str:
    """One tag's value, escaped as on Envoy's page, as labels: ``a="1",b="2"``."""
    labels = []
    for item in packed.split(_ITEM):
        names, _, text = item.partition("=")
        parts = names.split(_NAME)
        values = text.split(_VALUE, len(parts) - 1) if len(parts) > 1 else [text]
        values += [""] * (len(parts) - len(values))
        labels += [f'{n}="{v}"' for n, v in zip(parts, values, strict=True) if n]
    return ",".join(labels)
