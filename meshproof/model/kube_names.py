"""Names that become file names here.

They are refused as Kubernetes refuses them, since ``..`` in one would lead out of the replica's
folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated

from pydantic import AfterValidator

from meshproof.model.base_model import FieldError

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-.a-z0-9]*[a-z0-9])?")


def _matcher(pattern: re.Pattern[str], expected: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value) or ".." in value:
            raise ValueError(f'is "{value[:60]}"; wanted {expected}')
        return value

    return check


def _check_volume_path(value: str) -> str:
    if not value or value.startswith("/") or ".." in value.split("/") or "\0" in value:
        raise ValueError(f'is "{value[:60]}"; wanted a path within the volume')
    return value


def _check_mount_path(value: str) -> str:
    if not value or ".." in value.split("/") or ":" in value or "\0" in value:
        raise ValueError(f'is "{value[:60]}"; wanted a path in the container, without .. and :')
    return value


Label = Annotated[
    str, AfterValidator(_matcher(_LABEL, "at most 63 lower-case letters, digits and -"))
]
"""The name of a container or a volume."""
ObjectName = Annotated[
    str,
    AfterValidator(_matcher(_SUBDOMAIN, "lower-case letters, digits, - and ., as in a DNS name")),
]
VolumePath = Annotated[str, AfterValidator(_check_volume_path)]
"""The path of a file in a volume."""
MountPath = Annotated[str, AfterValidator(_check_mount_path)]


def check_keys(keys: Iterable[str], field: str) -> None:
    """Check the keys of a ConfigMap or Secret. Raises FieldError."""
    for key in keys:
        if not _KEY.fullmatch(key) or key == "." or key.startswith(".."):
            expected = "a key of letters, digits, -, _ and ., with no two dots first"
            raise FieldError(f"is not a key; wanted {expected}", field, key)
