"""The survey and the differences as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace

from meshproof.model.kinds import KINDS, Kind
from meshproof.model.kinds_without_model import (
    REASONS,
    THIRD_PARTY_KINDS,
    UNSUPPORTED_KINDS,
    group_ignored_kinds,
)
from meshproof.model.steering_keys import STEERING_KEYS
from tools.fidelity.differences import GENERAL
from tools.fidelity.gateway_api_suite import render_suite
from tools.fidelity.peer_suites import render_peers
from tools.fidelity.survey import Part, survey

_GROUPS = (
    ("networking.istio.io, security.istio.io, telemetry.istio.io", (".istio.io/",)),
    ("The Gateway API", ("gateway.networking.k8s.io/",)),
    ("Istio 0.4", ("config.istio.io/",)),
    ("Kubernetes", ("v1", "apps/", "autoscaling/", "networking.k8s.io/", "discovery.k8s.io/")),
)
_HEAD = """\
# How the embedded mesh differs from Istio

`make docs` writes this page from the models that read your YAML, and a test compares the two. For
each kind and each part of it:

- **As in Istio** (or, for Kubernetes' kinds, **Honoured**): with the same meaning.
- **Differs**: honoured with a difference, and the reason.
- **No effect**: accepted, with one note when it is applied.
- **Refused**: `apply` names the file, line and field, and changes nothing. A field that is not
  listed is not a field of the API; it is refused too.

`make conformance` measures this by replaying what a real Istio did. Cases that differ are listed in
[conformance/known.yaml](../conformance/known.yaml), each with a sentence of this page.
"""


def render() -> str:
    """docs/fidelity.md."""
    return (
        "\n".join(
            [
                _HEAD,
                *_general(),
                *_steering(),
                *_kinds(),
                *_other_kinds(),
                *render_suite(),
                *render_peers(),
            ]
        ).rstrip()
        + "\n"
    )


def _general() -> Iterator[str]:
    yield "## In general\n"
    for title, sentences in GENERAL:
        yield f"### {title}\n"
        yield from (_item(sentence) for sentence in sentences)
        yield ""


def _steering() -> Iterator[str]:
    """Labels and annotations: what is refused, and what has no effect."""
    yield "## Labels and annotations of Istio\n"
    yield _item(
        "Others in Istio's domains, and those of another kind of object, have no effect, as in "
        "Istio, with one note."
    )
    for key in (row for rows in STEERING_KEYS.values() for row in rows):
        targets = " and ".join(t.value for t in key.targets)
        if key.honoured or key.valid:
            yield _item(f"As in Istio: `{key.name}` of {targets}")
        elif key.no_effect and key.meaning:
            yield _item(f"No effect: `{key.name}` of {targets}: {key.meaning}")
        elif not key.no_effect:
            accepted = _names(value or '""' for value in key.accepted)
            values = f"the value {_names(key.refused)}" if key.refused else "every value"
            but = f" but {accepted}" if accepted and not key.refused else ""
            yield _item(f"Refused: `{key.name}` of {targets}, {values}{but}: {key.meaning}")
    rest = [r.name for rows in STEERING_KEYS.values() for r in rows if r.no_effect]
    silent = [n for n in dict.fromkeys(rest) if not any(r.meaning for r in STEERING_KEYS[n])]
    yield _item(f"Nothing here that they could steer: {_names(silent)}")
    yield ""


def _kinds() -> Iterator[str]:
    for title, versions in _GROUPS:
        yield f"## {title}\n"
        honoured = "Honoured" if title == "Kubernetes" else "As in Istio"
        for kind in KINDS.values():
            if _belongs(kind, versions):
                yield f"### {kind.written or kind.name} ({', '.join(kind.api_versions)})\n"
                parts = survey(kind)
                own = parts if kind.name not in _LIKE_DEPLOYMENT else _own_parts(parts)
                for part in own:
                    yield from _render_part(part, honoured)
                if own is not parts:
                    yield "Everything else about its pods is as for a Deployment.\n"


_LIKE_DEPLOYMENT = ("StatefulSet", "DaemonSet", "Pod")


def _own_parts(parts: Iterable[Part]) -> list[Part]:
    """The parts that differ from a Deployment's."""
    deployment_parts = [replace(part, path="") for part in survey(KINDS["Deployment"])]
    return [part for part in parts if replace(part, path="") not in deployment_parts]


def _belongs(kind: Kind, versions: Iterable[str]) -> bool:
    version = kind.api_versions[0]
    old = version.startswith("config.istio.io/")
    for prefix in versions:
        if prefix == ".istio.io/":
            return prefix in version and not old
        if version == prefix or (prefix.endswith("/") and version.startswith(prefix)):
            return True
    return False


def _render_part(part: Part, honoured: str) -> Iterator[str]:
    yield f"`{part.path}`\n" if part.path else "The document\n"
    if part.honoured:
        yield _item(f"{honoured}: {_names(part.honoured)}")
    for name, difference in part.differs.items():
        yield _item(f"Differs: `{name}`: {difference}")
    plain = [name for name, meaning in part.no_effect.items() if not meaning]
    if plain:
        yield _item(f"No effect: {_names(plain)}")
    for name, meaning in part.no_effect.items():
        if meaning:
            yield _item(f"No effect: `{name}` ({meaning})")
    if part.refused:
        yield _item(f"Refused: {_names(part.refused)}")
    for name, values in part.refused_values.items():
        yield _item(f"Refused values of `{name}`: {_names(values)}")
    yield ""


def _other_kinds() -> Iterator[str]:
    yield "## Kinds that are refused\n"
    owners = dict.fromkeys(UNSUPPORTED_KINDS.values())
    for owner in owners:
        names = sorted(n for n, whose in UNSUPPORTED_KINDS.items() if whose == owner)
        yield _item(f"{owner}: {', '.join(names)}")
    for name, (reason, _) in REASONS.items():
        yield _item(f"{name}: {reason}")
    yield "\n## Kinds that are ignored\n"
    yield "Accepted without effect, with one note when they are applied:\n"
    for names, meaning in group_ignored_kinds():
        yield _item(f"{', '.join(names)}: {meaning}")
    yield _item(
        "every kind of another project's API group (ServiceMonitor, Certificate, ...): nothing "
        "here acts on it. Those that create pods, or route or guard requests, are refused: "
        + ", ".join(sorted(THIRD_PARTY_KINDS))
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _item(text: str) -> str:
    return textwrap.fill(
        f"- {text}", 100, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
