"""Prometheus text: read, merged for many pods, written again, also as OpenMetrics. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics specification 1.0.

Read by hand, for speed: labels are passed on as they are written, never taken apart. A page of 100
sidecars (55,312 lines, 15.7 MB, Envoy 1.40) is merged in 0.20 s of processor time, where
prometheus_client's parser takes 3.2 s to read it; the requests' part of it (4 MB), which a
dashboard reads every second, takes 0.02 s instead of 0.8 s. The tests read every result with
prometheus_client.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+\S+)?[ \t]*")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_PARTS = {
    "counter": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("", "_sum", "_count"),
}
_LE = re.compile(r'\ble="([^"]+)"')

Sample = tuple[str, str, str]
"""Name, labels as they are written, value."""


@dataclass(slots=True)
class Family:
    """All samples of one metric; ``name`` is as in Prometheus text: a counter's ends in _total."""

    name: str
    kind: str = "untyped"
    help: str = ""
    samples: list[Sample] = field(default_factory=list)


Families = dict[str, Family]


def iter_samples(text: str, prefixes: tuple[str, ...] = ("",)) -> Iterator[Sample]:
    """The samples whose names begin with one of ``prefixes``; times are left out."""
    for line in text.splitlines():
        if line.startswith(prefixes) and (match := _SAMPLE.fullmatch(line)):
            name, labels, value = match.groups()
            yield name, labels or "", value


def parse_labels(labels: str) -> dict[str, str]:
    """A sample's labels; escaped characters in values stay escaped."""
    return dict(_LABEL.findall(labels))


def merge_pods(texts: Mapping[str, str]) -> str:
    """Pod -> Prometheus text, as one text whose samples have the label ``pod``."""
    families: Families = {}
    for pod, text in texts.items():
        add(families, text, {"pod": pod})
    return render(families)


def add(families: Families, text: str, labels: Mapping[str, str] | None = None) -> None:
    """Read a text into ``families``, with ``labels`` added to each sample. A label of the text with
    the same name becomes ``exported_...``, as in Prometheus. Times are left out."""
    added = labels or {}
    prefix = ",".join(f'{name}="{escape(value)}"' for name, value in added.items())
    current = Family("")
    for line in text.splitlines():
        if line.startswith("#"):
            current = _read_comment(families, line) or current
        elif match := _SAMPLE.fullmatch(line):
            name, own, value = match.groups()
            if not _is_part(current, name):
                current = families.setdefault(name, Family(name))
            own = (own or "").strip().removesuffix(",")
            if own and added:
                own = _rename_conflicts(own, added)
            current.samples.append((name, ",".join(filter(None, (prefix, own))), value))


def _read_comment(families: Families, line: str) -> Family | None:
    """The family that a TYPE or HELP line is about; None for any other comment."""
    parts = line.split(None, 3)
    if len(parts) < 3 or parts[1] not in ("TYPE", "HELP"):
        return None
    family = families.setdefault(parts[2], Family(parts[2]))
    text = parts[3] if len(parts) > 3 else ""
    if parts[1] == "HELP":
        family.help = family.help or text
    elif family.kind == "untyped":
        family.kind = text
    return family


def _is_part(family: Family, name: str) -> bool:
    suffix = name.removeprefix(family.name) if name.startswith(family.name) else None
    return bool(family.name) and suffix in _PARTS.get(family.kind, ("",))


def _rename_conflicts(labels: str, names: Iterable[str]) -> str:
    for name in names:
        if f'{name}="' in labels:
            labels = re.sub(rf'(?<![^,]){name}="', f'exported_{name}="', labels)
    return labels


def escape(value: str) -> str:
    """A label's value as it stands between quotes."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def keep_cumulative(families: Families) -> Families:
    """What stays true of a process that has ended: its counters and histograms, without Envoy's
    own statistics."""
    return {
        name: family
        for name, family in families.items()
        if family.kind in ("counter", "histogram") and not name.startswith("envoy_")
    }


def render(families: Families, *, openmetrics: bool = False) -> str:
    """Families without a sample are left out."""
    filled = [family for family in families.values() if family.samples]
    if not openmetrics:
        return "".join(f"{line}\n" for family in filled for line in _plain_lines(family))
    names = {family.name for family in filled}
    lines = (line for family in filled for line in _openmetrics_lines(family, names))
    return "".join(f"{line}\n" for line in lines) + "# EOF\n"


def _plain_lines(family: Family) -> Iterator[str]:
    if family.help:
        yield f"# HELP {family.name} {family.help}"
    if family.kind != "untyped":
        yield f"# TYPE {family.name} {family.kind}"
    yield from map(_format_sample, family.samples)


def _format_sample(sample: Sample) -> str:
    name, labels, value = sample
    return f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"


def _openmetrics_lines(family: Family, names: set[str]) -> Iterator[str]:
    """In OpenMetrics a counter's samples end in ``_total`` and its family does not. A counter by
    another name would be renamed by that, and a query would depend on the format that was scraped:
    it gets the type unknown instead."""
    if _is_created_gauge(family.name, names):
        return
    name, kind = family.name, family.kind
    bare = name.removesuffix("_total")
    if kind == "counter" and bare != name and bare not in names:
        name = bare
    elif kind in ("counter", "untyped"):
        kind = "unknown"
    yield f"# TYPE {name} {kind}"
    if family.help:
        yield f"# HELP {name} {family.help}"
    for sample in family.samples:
        yield _format_sample((sample[0], _canonical(sample[1]), sample[2]))


def _is_created_gauge(name: str, names: set[str]) -> bool:
    """A gauge that prometheus_client adds in plain text; its name is a counter's own here."""
    bare = name.removesuffix("_created")
    return bare != name and (f"{bare}_total" in names or bare in names)


def _canonical(labels: str) -> str:
    """The bound of a bucket as OpenMetrics writes numbers: ``1`` is ``1.0``."""
    match = _LE.search(labels)
    if not match or match.group(1) == "+Inf":
        return labels
    return f"{labels[: match.start(1)]}{_number(float(match.group(1)))}{labels[match.end(1) :]}"


def _number(value: float) -> str:
    """As Go prints it, which the specification names: exponents from 1e-05 and 1e+06 on."""
    text = repr(value)
    whole, _, rest = text.partition(".")
    if "e" in text or len(whole) <= 6 or not whole.isdigit():
        return text
    mantissa = f"{whole[0]}.{whole[1:]}{rest}".rstrip("0").rstrip(".")
    return f"{mantissa}e+{len(whole) - 1:02}"


def prefers_openmetrics(accept: str) -> bool:
    """Whether an Accept header puts OpenMetrics before plain text."""
    best = {"openmetrics": 0.0, "plain": 0.0}
    for part in accept.split(","):
        kind, *parameters = (token.strip() for token in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        name = "openmetrics" if kind == "application/openmetrics-text" else "plain"
        try:
            best[name] = max(best[name], float(weight))
        except ValueError:
            continue
    return best["openmetrics"] > 0 and best["openmetrics"] >= best["plain"]
