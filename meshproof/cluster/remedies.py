"""What to do about an error of the tools: a text in their output -> one sentence. Pure."""

from __future__ import annotations

API_SERVER_LOST = (
    "the cluster's API server does not answer: `docker ps` shows whether its nodes run, `docker "
    "stats` whether one is out of memory; run it again once it answers"
)

_REMEDIES = (
    (
        "Cannot connect to the Docker daemon",
        "start Docker (`sudo systemctl start docker`, or Docker Desktop), or set DOCKER_HOST; "
        "without Docker: MESH=embedded",
    ),
    (
        "permission denied while trying to connect to the Docker",
        "this user may not use Docker: `sudo usermod -aG docker $USER`, then log in again",
    ),
    (
        "too many open files",
        "the machine is out of inotify instances or watches: `sudo sysctl "
        "fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288`",
    ),
    (
        "inotify",
        "the machine is out of inotify instances or watches: `sudo sysctl "
        "fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288`",
    ),
    (
        "no space left on device",
        "the disk is full: `docker system df` shows what uses it, `docker system prune` frees some",
    ),
    (
        "failed calling webhook",
        "istiod does not answer: `kubectl -n istio-system get pods` says why; nothing was applied, "
        "so run it again once it does",
    ),
    ("failed to download openapi", API_SERVER_LOST),
    ("was refused - did you specify the right host", API_SERVER_LOST),
    ("node(s) already exist", "another cluster has this name: choose one with KIND_CLUSTER"),
    ("port is already allocated", "another process has that port: stop it, or run without it"),
    ("address already in use", "another process has that port: stop it, or run without it"),
    (
        "failed to pull image",
        "no registry has the node image: load one (`docker load`), and name it with "
        "KIND_NODE_IMAGE",
    ),
    (
        "ErrImagePull",
        "the node cannot pull that image: load it into the cluster (`kind load docker-image`), "
        "and name its hub and tag with ISTIO_HUB and ISTIO_TAG",
    ),
    (
        "ImagePullBackOff",
        "the node cannot pull that image: load it into the cluster (`kind load docker-image`), "
        "and name its hub and tag with ISTIO_HUB and ISTIO_TAG",
    ),
    ("not present locally", "the image is not built; run again, or `docker build` it"),
    (
        "pull access denied",
        "no registry has the base image: load one (`docker load` or `docker import`), and "
        "name it with BASE_IMAGE",
    ),
    (
        "dial tcp: lookup",
        'no registry can be reached from here: docs/kind.md, "Without registries", says what '
        "to set (BASE_IMAGE, WHEELHOUSE, KIND_NODE_IMAGE, ISTIO_HUB, ISTIO_TAG)",
    ),
    (
        "No matching distribution found",
        "no wheel for the base image's Python: `pip download -r services/requirements.lock` for "
        "that version into a folder, and name it with WHEELHOUSE",
    ),
    ("context was not found", "`kubectl config get-contexts` lists them; choose with CONTEXT"),
    ("ensure CRDs are installed first", "the cluster has no Istio: leave ISTIO_SKIP unset"),
    (
        "Pool overlaps",
        "another network of this machine has that subnet; `docker network ls` lists them",
    ),
)


def remedy(output: str) -> str:
    """What to do; empty where nothing is known."""
    return next((advice for text, advice in _REMEDIES if text in output), "")
