"""Admission's profile of a mesh on a cluster.

The API server and Istio's webhook decide about fields that no model honours. Images are checked
here, because Kubernetes accepts any name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from meshproof.admission.admission import Admission
from meshproof.admission.store import Store
from meshproof.cluster.images import UNAVAILABLE_REMEDY, project_images
from meshproof.cluster.manifests import CONTAINERS, pod_spec_of, pod_spec_path
from meshproof.cluster.providers.provider import Provider
from meshproof.errors import Problem, Refused
from meshproof.model.resource import Resource
from meshproof.project import Project
from meshproof.sources.location import FieldPath


def cluster_admission(project: Project, provider: Provider) -> Admission:
    return Admission(ClusterProfile(project, provider))


class ClusterProfile:
    """See ``meshproof.admission.admission.Profile``."""

    keeps_unsupported = True

    def __init__(self, project: Project, provider: Provider) -> None:
        self._provider = provider
        self._built = {image.name for image in project_images(project)}

    def check_resources(self, resources: Iterable[Resource]) -> list[Problem]:
        """Images that the project does not build and that no node has or can pull."""
        images = [
            (resource, path, image)
            for resource in resources
            for path, image in _images(resource)
            if image not in self._built
        ]
        missing = self._provider.find_missing_images({image for _, _, image in images})
        return [
            _image_problem(resource, path, image, missing[image])
            for resource, path, image in images
            if image in missing
        ]

    def check_store(self, store: Store, resources: Sequence[Resource]) -> None:  # noqa: ARG002
        if problems := self.check_resources(resources):
            raise Refused(problems)

    def findings(self, store: Store) -> list[Problem]:  # noqa: ARG002  # lint says it all
        return []

    def notes(self, changed: Iterable[Resource]) -> list[str]:  # noqa: ARG002  # none is left out
        return []


def _images(resource: Resource) -> Iterator[tuple[FieldPath, str]]:
    """Each container's image, with its path. None where the pods bring credentials for a registry:
    only the kubelet can use those."""
    spec = pod_spec_of(resource.body) if resource.body else None
    if spec is None or spec.get("imagePullSecrets"):
        return
    for field in CONTAINERS:
        containers = spec.get(field)
        for index, container in enumerate(containers if isinstance(containers, list) else ()):
            image = container.get("image") if isinstance(container, dict) else None
            if isinstance(image, str):
                yield (*pod_spec_path(resource.kind), field, index, "image"), image


def _image_problem(resource: Resource, path: FieldPath, image: str, reason: str) -> Problem:
    return resource.problem(
        path,
        f"image {image} cannot run on this cluster: {reason}",
        "an image that the project builds, or that the nodes have",
        UNAVAILABLE_REMEDY,
    )
