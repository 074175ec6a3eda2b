"""Prometheus text of many pods as one, and the same as OpenMetrics text. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics specification 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+\S+)?[ \t]*")
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
    """All samples of one metric; ``name`` is that of Prometheus text: with a counter's _total."""

    name: str
    kind: str = "untyped"
    help: str = ""
    samples: list[Sample] = field(default_factory=list)


Families = dict[str, Family]


def merged(texts: Mapping[str, str]) -> str:
    """Pod -> Prometheus text, as one text whose samples say of which pod they are."""
    families: Families = {}
    for pod, text in texts.items():
        add(families, text, {"pod": pod})
    return render(families)


def add(families: Families, text: str, labels: Mapping[str, str] | None = None) -> None:
    """Read a text into ``families``, each sample with some labels more. A label that the text has
    of the same name is called ``exported_...`` then, as Prometheus does. Times are left out."""
    own = labels or {}
    before = ",".join(f'{name}="{escaped(value)}"' for name, value in own.items())
    current = Family("")
    for line in text.splitlines():
        if line.startswith("#"):
            current = _declared(families, line) or current
        elif found := _SAMPLE.fullmatch(line):
            name, written, value = found.groups()
            if not _of(current, name):
                current = families.setdefault(name, Family(name))
            had = (written or "").strip().removesuffix(",")
            if had and own:
                had = _renamed(had, own)
            current.samples.append((name, ",".join(filter(None, (before, had))), value))


def _declared(families: Families, line: str) -> Family | None:
    words = line.split(None, 3)
    if len(words) < 3 or words[1] not in ("TYPE", "HELP"):
        return None
    family = families.setdefault(words[2], Family(words[2]))
    rest = words[3] if len(words) > 3 else ""
    if words[1] == "HELP":
        family.help = family.help or rest
    elif family.kind == "untyped":
        family.kind = rest
    return family


def _of(family: Family, name: str) -> bool:
    suffix = name.removeprefix(family.name) if name.startswith(family.name) else None
    return bool(family.name) and suffix in _PARTS.get(family.kind, ("",))


def _renamed(labels: str, taken: Iterable[str]) -> str:
    for name in taken:
        if f'{name}="' in labels:
            labels = re.sub(rf'(?<![^,]){name}="', f'exported_{name}="', labels)
    return labels


def escaped(value: str) -> str:
    """A label's value as it is written between quotes."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def lasting(families: Families) -> Families:
    """What still says something of a process that has ended: what it counted. Envoy's own
    statistics are not kept."""
    return {
        name: family
        for name, family in families.items()
        if family.kind in ("counter", "histogram") and not name.startswith("envoy_")
    }


def render(families: Families, *, openmetrics: bool = False) -> str:
    """Families without a sample are left out."""
    some = [family for family in families.values() if family.samples]
    if not openmetrics:
        return "".join(f"{line}\n" for family in some for line in _plain(family))
    names = {family.name for family in some}
    lines = (line for family in some for line in _open(family, names))
    return "".join(f"{line}\n" for line in lines) + "# EOF\n"


def _plain(family: Family) -> Iterator[str]:
    if family.help:
        yield f"# HELP {family.name} {family.help}"
    if family.kind != "untyped":
        yield f"# TYPE {family.name} {family.kind}"
    yield from map(_line, family.samples)


def _line(sample: Sample) -> str:
    name, labels, value = sample
    return f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"


def _open(family: Family, names: set[str]) -> Iterator[str]:
    """In OpenMetrics a counter's samples end in ``_total`` and its family does not. One that has
    another name would be renamed by that, so that a query depended on the form that was scraped:
    it is of an unknown type instead."""
    if _created(family.name, names):
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
        yield _line((sample[0], _canonical(sample[1]), sample[2]))


def _created(name: str, names: set[str]) -> bool:
    """A gauge that prometheus_client adds in plain text; its name is a counter's own here."""
    bare = name.removesuffix("_created")
    return bare != name and (f"{bare}_total" in names or bare in names)


def _canonical(labels: str) -> str:
    """Limits of buckets as OpenMetrics writes numbers: ``1`` is ``1.0``."""
    found = _LE.search(labels)
    if not found or found.group(1) == "+Inf":
        return labels
    return f"{labels[: found.start(1)]}{_number(float(found.group(1)))}{labels[found.end(1) :]}"


def _number(value: float) -> str:
    """As Go prints it, which the specification names: exponents from 1e-05 and 1e+06 on."""
    text = repr(value)
    whole, _, rest = text.partition(".")
    if "e" in text or len(whole) <= 6 or not whole.isdigit():
        return text
    mantissa = f"{whole[0]}.{whole[1:]}{rest}".rstrip("0").rstrip(".")
    return f"{mantissa}e+{len(whole) - 1:02}"


def wants_openmetrics(accept: str) -> bool:
    """Whether an Accept header puts OpenMetrics before plain text."""
    best = {"openmetrics": 0.0, "plain": 0.0}
    for part in accept.split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        name = "openmetrics" if kind == "application/openmetrics-text" else "plain"
        try:
            best[name] = max(best[name], float(weight))
        except ValueError:
            continue
    return best["openmetrics"] > 0 and best["openmetrics"] >= best["plain"]
