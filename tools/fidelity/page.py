"""The survey and the differences as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace

from meshproof.model.kinds import KINDS, Kind
from meshproof.model.kinds_without_model import (
    THIRD_PARTY_KINDS,
    UNSUPPORTED_KINDS,
    group_ignored_kinds,
)
from tools.fidelity.differences import GENERAL
from tools.fidelity.survey import Part, survey

_GROUPS = (
    ("networking.istio.io, security.istio.io, telemetry.istio.io", (".istio.io/",)),
    ("The Gateway API", ("gateway.networking.k8s.io/",)),
    ("Istio 0.4", ("config.istio.io/",)),
    ("Kubernetes", ("v1", "apps/", "autoscaling/")),
)
_HEAD = """\
# What is as in Istio, and what is not

Made by `python -m tools.fidelity > docs/fidelity.md` out of the models that read your YAML, and
held against them by a test. For each kind and each part of it:

- **As Istio**: honoured, with Istio's meaning.
- **Differs**: honoured, but not quite, and why.
- **Without effect**: accepted, named once when applied.
- **Refused**: `apply` names file, line and field, and changes nothing. Whatever is listed nowhere
  is not a field of the API, and refused too.

How far this is measured: `make conformance` replays what a real Istio did; cases that differ are
named in [conformance/known.yaml](../conformance/known.yaml), each with a sentence of this page.
"""


def page() -> str:
    """The whole of docs/fidelity.md."""
    return "\n".join([_HEAD, *_general(), *_kinds(), *_other_kinds()]).rstrip() + "\n"


def _general() -> Iterator[str]:
    yield "## In general\n"
    for title, sentences in GENERAL:
        yield f"### {title}\n"
        yield from (_item(sentence) for sentence in sentences)
        yield ""


def _kinds() -> Iterator[str]:
    for title, versions in _GROUPS:
        yield f"## {title}\n"
        for kind in KINDS.values():
            if _belongs(kind, versions):
                yield f"### {kind.name} ({', '.join(kind.api_versions)})\n"
                parts = survey(kind)
                own = parts if kind.name not in _LIKE_DEPLOYMENT else _own_parts(parts)
                for part in own:
                    yield from _part(part)
                if own is not parts:
                    yield "The rest of its pods is as a Deployment's.\n"


_LIKE_DEPLOYMENT = ("StatefulSet", "DaemonSet", "Pod")


def _own_parts(parts: Iterable[Part]) -> list[Part]:
    """Those that say something else than a Deployment's."""
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


def _part(part: Part) -> Iterator[str]:
    yield f"`{part.path}`\n" if part.path else "the document\n"
    if part.honoured:
        yield _item(f"As Istio: {_names(part.honoured)}")
    for name, difference in part.differs.items():
        yield _item(f"Differs: `{name}` {difference}")
    plain = [name for name, meaning in part.idle.items() if not meaning]
    if plain:
        yield _item(f"Without effect: {_names(plain)}")
    for name, meaning in part.idle.items():
        if meaning:
            yield _item(f"Without effect: `{name}` ({meaning})")
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
    yield "\n## Kinds that are passed over\n"
    yield "Accepted unread, and named once when applied:\n"
    for names, meaning in group_ignored_kinds():
        yield _item(f"{', '.join(names)}: {meaning}")
    yield _item(
        "every kind of a group that is neither Kubernetes' nor Istio's (ServiceMonitor, "
        "Certificate, ...): nothing here acts on it. Those that make pods, or route or guard "
        f"requests, are refused: {', '.join(sorted(THIRD_PARTY_KINDS))}"
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _item(text: str) -> str:
    return textwrap.fill(
        f"- {text}", 100, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
