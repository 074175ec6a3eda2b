"""A container's environment and arguments, as the kubelet builds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from meshproof.errors import Problem, Refused
from meshproof.model.kube_config import ConfigMap, Secret
from meshproof.model.kube_pod import Container, EnvVarSource
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath

_REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.-][A-Za-z0-9_.-]*)\))")


def build_environment(
    workload: Resource,
    container: Container,
    path: FieldPath,
    resources: Iterable[Resource],
    fields: Mapping[str, str],
) -> dict[str, str]:
    """The variables of one container, which is at ``path`` in its workload's document.

    ``resources`` holds the ConfigMaps and Secrets; ``fields`` maps what ``fieldRef`` may name
    (``metadata.name``, ``status.podIP``, ``metadata.labels['app']``, ...) to its value. Raises
    ``Refused`` if an object, a key or a field is missing and not optional.
    """
    data = {
        (r.kind, r.name): r.spec.texts
        for r in resources
        if r.namespace == workload.namespace and isinstance(r.spec, ConfigMap | Secret)
    }
    env: dict[str, str] = {}
    problems: list[Problem] = []
    for index, source in enumerate(container.env_from):
        kind = "ConfigMap" if source.config_map_ref else "Secret"
        ref = source.config_map_ref or source.secret_ref
        assert ref is not None, "the model wants one of the two"
        texts = data.get((kind, ref.name))
        if texts is None and not ref.optional:
            problem_path = (*path, "envFrom", index)
            problems.append(workload.problem(problem_path, f"there is no {kind} {ref.name}"))
        env |= {source.prefix + key: text for key, text in (texts or {}).items()}
    for index, variable in enumerate(container.env):
        if variable.value_from is None:
            env[variable.name] = substitute(variable.value, env)
            continue
        value, error = _value_from(variable.value_from, data, fields)
        if error:
            problems.append(workload.problem((*path, "env", index, "valueFrom"), error))
        if value is not None:
            env[variable.name] = value
    if problems:
        raise Refused(problems)
    return env


def expand_arguments(arguments: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """``command`` or ``args`` with ``$(NAME)`` replaced."""
    return [substitute(argument, env) for argument in arguments]


def substitute(text: str, env: Mapping[str, str]) -> str:
    """Replace ``$(NAME)`` by the variable's value if there is one, and ``$$`` by ``$``."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else env.get(match[2], match[0])

    return _REFERENCE.sub(value, text)


def _value_from(
    source: EnvVarSource,
    data: Mapping[tuple[str, str], Mapping[str, str]],
    fields: Mapping[str, str],
) -> tuple[str | None, str]:
    """The value, or the reason why there is none."""
    if source.field_ref:
        path = source.field_ref.field_path
        names = ", ".join(sorted(fields))
        error = "" if path in fields else f"no field {path} is known; known are {names}"
        return fields.get(path), error
    kind = "ConfigMap" if source.config_map_key_ref else "Secret"
    ref = source.config_map_key_ref or source.secret_key_ref
    assert ref is not None, "the model wants one of the three"
    texts = data.get((kind, ref.name))
    if texts is None:
        return None, "" if ref.optional else f"there is no {kind} {ref.name}"
    if ref.key not in texts:
        return None, "" if ref.optional else f"{kind} {ref.name} has no key {ref.key}"
    return texts[ref.key], ""
