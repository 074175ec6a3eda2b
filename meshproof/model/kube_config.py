"""v1 ConfigMap and Secret, as texts and as files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Self

from pydantic import model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.kube_names import check_keys


class ConfigMap(Model):
    """Its values are environment variables (env, envFrom) and files of containers."""

    data: dict[str, str] = {}
    binary_data: dict[str, str] = {}
    """Base64; only for files."""
    immutable: bool = False

    @model_validator(mode="after")
    def _base64(self) -> Self:
        check_keys(self.data, "data")
        check_keys(self.binary_data, "binaryData")
        _decode(self.binary_data, "binaryData", "base64")
        return self

    @property
    def texts(self) -> dict[str, str]:
        return self.data

    @property
    def files(self) -> dict[str, bytes]:
        texts = {key: text.encode() for key, text in self.data.items()}
        return _decode(self.binary_data, "binaryData", "base64") | texts


def _decode(values: Mapping[str, str], field: str, expected: str) -> dict[str, bytes]:
    """Raises FieldError for a value that is not base64."""
    decoded = {}
    for key, value in values.items():
        try:
            decoded[key] = base64.b64decode("".join(value.split()), validate=True)
        except binascii.Error:
            raise FieldError(f"is not base64; wanted {expected}", field, key) from None
    return decoded


class Secret(Model):
    """``data`` is base64; ``stringData`` is plain text and takes precedence."""

    data: dict[str, str] = {}
    string_data: dict[str, str] = {}
    type: str = "Opaque"
    immutable: bool = False

    @model_validator(mode="after")
    def _base64(self) -> Self:
        check_keys(self.data, "data")
        check_keys(self.string_data, "stringData")
        _decode(self.data, "data", "base64, or plain text under stringData")
        return self

    @property
    def files(self) -> dict[str, bytes]:
        texts = {key: text.encode() for key, text in self.string_data.items()}
        return _decode(self.data, "data", "base64") | texts

    @property
    def texts(self) -> dict[str, str]:
        """Every value as text; bytes that are not UTF-8 become surrogates, as in os.environ."""
        return {key: data.decode("utf-8", "surrogateescape") for key, data in self.files.items()}
