"""Volumes of a pod, and where its containers see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from meshproof.model.base_model import FieldError, Model
from meshproof.model.kube_names import Label, MountPath, ObjectName, Within
from meshproof.model.kube_probe import Ignored, Name, NotHonoured

_SILENT = NotHonoured(silent=True)
_EMPTY = "the folder is there, and empty"
Mode = Annotated[int, Field(ge=0, le=0o777)] | None


class KeyRef(Model):
    """One key of a ConfigMap or Secret."""

    name: Name
    key: Name
    optional: bool = False


class FieldRef(Model):
    api_version: Literal["v1"] = "v1"
    field_path: Name


class KeyToPath(Model):
    key: Name
    path: Within
    mode: Mode = None


class ConfigMapFiles(Model):
    """Each key a file, or the chosen ones under other names."""

    name: Name
    items: list[KeyToPath] = []
    optional: bool = False
    default_mode: Mode = None


class SecretFiles(Model):
    secret_name: Name
    items: list[KeyToPath] = []
    optional: bool = False
    default_mode: Mode = None


class ProjectedSecret(Model):
    name: Name
    items: list[KeyToPath] = []
    optional: bool = False


class FieldToPath(Model):
    path: Within
    field_ref: FieldRef | None = None
    resource_field_ref: Annotated[Any, NotHonoured("no limit is set; the file is not there")] = None
    mode: Mode = None


class FieldFiles(Model):
    items: list[FieldToPath] = []
    default_mode: Mode = None


class ProjectedSource(Model):
    config_map: ConfigMapFiles | None = None
    secret: ProjectedSecret | None = None
    downward_api: Annotated[FieldFiles | None, Field(alias="downwardAPI")] = None
    service_account_token: Annotated[Any, NotHonoured("no token is there")] = None
    cluster_trust_bundle: Annotated[Any, NotHonoured("no file is there")] = None
    pod_certificate: Annotated[Any, NotHonoured("no file is there")] = None


class ProjectedFiles(Model):
    sources: list[ProjectedSource] = []
    default_mode: Mode = None


class EmptyDir(Model):
    medium: Annotated[Any, _SILENT] = None
    size_limit: Annotated[Any, NotHonoured("no limit is set")] = None


class Claim(Model):
    """A folder that is gone with the mesh; replicas that name one claim share it."""

    claim_name: ObjectName
    read_only: Annotated[Any, _SILENT] = None


class ClaimMetadata(Model):
    name: ObjectName
    labels: Annotated[Any, _SILENT] = None
    annotations: Annotated[Any, _SILENT] = None
    creation_timestamp: Annotated[Any, _SILENT] = None
    namespace: Annotated[Any, _SILENT] = None


class ClaimTemplate(Model):
    """Of a StatefulSet: a folder for each replica's number, which outlives the replica."""

    metadata: ClaimMetadata
    spec: Annotated[Any, _SILENT] = None
    status: Annotated[Any, _SILENT] = None
    api_version: Annotated[Any, _SILENT] = None
    kind: Annotated[Any, _SILENT] = None


class Volume(Model):
    """One source; of a kind that is not known here there is an empty folder."""

    name: Label
    config_map: ConfigMapFiles | None = None
    secret: SecretFiles | None = None
    projected: ProjectedFiles | None = None
    downward_api: Annotated[FieldFiles | None, Field(alias="downwardAPI")] = None
    empty_dir: EmptyDir | None = None
    persistent_volume_claim: Claim | None = None
    host_path: Annotated[Any, NotHonoured(_EMPTY)] = None
    csi: Annotated[Any, NotHonoured(_EMPTY)] = None
    ephemeral: Annotated[Any, NotHonoured(_EMPTY)] = None
    image: Annotated[Any, NotHonoured(_EMPTY)] = None
    nfs: Annotated[Any, NotHonoured(_EMPTY)] = None
    iscsi: Annotated[Any, NotHonoured(_EMPTY)] = None


class VolumeMount(Model):
    name: Name
    mount_path: MountPath
    sub_path: str = ""
    read_only: Annotated[Any, NotHonoured("the files can be written to", (False,))] = None
    mount_propagation: Ignored = None
    recursive_read_only: Ignored = None
    sub_path_expr: Annotated[str | None, NotHonoured("the whole volume is there", ("",))] = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if ".." in self.sub_path.split("/") or self.sub_path.startswith("/"):
            found = f'is "{self.sub_path}"; wanted a path within the volume'
            raise FieldError(found, "subPath")
        return self
