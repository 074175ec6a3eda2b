"""Volumes of a pod, and where its containers see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.kube_fields import SILENT, Ignored, NoEffect
from meshproof.model.kube_names import Label, MountPath, ObjectName, VolumePath
from meshproof.model.string_types import NonEmpty

_EMPTY = "the folder is empty"
Mode = Annotated[int, Field(ge=0, le=0o777)] | None


class KeyRef(Model):
    """One key of a ConfigMap or Secret."""

    name: NonEmpty
    key: NonEmpty
    optional: bool = False


class FieldRef(Model):
    api_version: Literal["v1"] = "v1"
    field_path: NonEmpty


class KeyToPath(Model):
    key: NonEmpty
    path: VolumePath
    mode: Mode = None


class ConfigMapFiles(Model):
    """Every key as a file, or the selected ones under other names."""

    name: NonEmpty
    items: list[KeyToPath] = []
    optional: bool = False
    default_mode: Mode = None


class SecretFiles(Model):
    secret_name: NonEmpty
    items: list[KeyToPath] = []
    optional: bool = False
    default_mode: Mode = None


class ProjectedSecret(Model):
    name: NonEmpty
    items: list[KeyToPath] = []
    optional: bool = False


class FieldToPath(Model):
    path: VolumePath
    field_ref: FieldRef | None = None
    resource_field_ref: Annotated[Any, NoEffect("no limit is set, so there is no file")] = None
    mode: Mode = None


class FieldFiles(Model):
    items: list[FieldToPath] = []
    default_mode: Mode = None


class ProjectedSource(Model):
    config_map: ConfigMapFiles | None = None
    secret: ProjectedSecret | None = None
    downward_api: Annotated[FieldFiles | None, Field(alias="downwardAPI")] = None
    service_account_token: Annotated[Any, NoEffect("there is no token")] = None
    cluster_trust_bundle: Annotated[Any, NoEffect("there is no file")] = None
    pod_certificate: Annotated[Any, NoEffect("there is no file")] = None


class ProjectedFiles(Model):
    sources: list[ProjectedSource] = []
    default_mode: Mode = None


class EmptyDir(Model):
    medium: Annotated[Any, SILENT] = None
    size_limit: Annotated[Any, NoEffect("no limit is set")] = None


class Claim(Model):
    """A folder that is removed with the mesh; replicas with the same claim share it."""

    claim_name: ObjectName
    read_only: Annotated[Any, SILENT] = None


class ClaimMetadata(Model):
    name: ObjectName
    labels: Annotated[Any, SILENT] = None
    annotations: Annotated[Any, SILENT] = None
    creation_timestamp: Annotated[Any, SILENT] = None
    namespace: Annotated[Any, SILENT] = None


class ClaimTemplate(Model):
    """A StatefulSet's: a folder for each ordinal, which outlives the replica."""

    metadata: ClaimMetadata
    spec: Annotated[Any, SILENT] = None
    status: Annotated[Any, SILENT] = None
    api_version: Annotated[Any, SILENT] = None
    kind: Annotated[Any, SILENT] = None


class Volume(Model):
    """One source; a kind of source that no model knows is an empty folder."""

    name: Label
    config_map: ConfigMapFiles | None = None
    secret: SecretFiles | None = None
    projected: ProjectedFiles | None = None
    downward_api: Annotated[FieldFiles | None, Field(alias="downwardAPI")] = None
    empty_dir: EmptyDir | None = None
    persistent_volume_claim: Claim | None = None
    host_path: Annotated[Any, NoEffect(_EMPTY)] = None
    csi: Annotated[Any, NoEffect(_EMPTY)] = None
    ephemeral: Annotated[Any, NoEffect(_EMPTY)] = None
    image: Annotated[Any, NoEffect(_EMPTY)] = None
    nfs: Annotated[Any, NoEffect(_EMPTY)] = None
    iscsi: Annotated[Any, NoEffect(_EMPTY)] = None


class VolumeMount(Model):
    name: NonEmpty
    mount_path: MountPath
    sub_path: str = ""
    read_only: Annotated[Any, NoEffect("the files can be written to", (False,))] = None
    mount_propagation: Ignored = None
    recursive_read_only: Ignored = None
    sub_path_expr: Annotated[str | None, NoEffect("the whole volume is mounted", ("",))] = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if ".." in self.sub_path.split("/") or self.sub_path.startswith("/"):
            message = f'is "{self.sub_path}"; wanted a path within the volume'
            raise FieldError(message, "subPath")
        return self
