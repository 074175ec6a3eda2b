"""A mesh on Kubernetes: how it comes up, step by step, and how it goes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from meshproof import workloads as names
from meshproof.cluster import istio, manifests, pods, tools
from meshproof.cluster.applied_state import ManifestDiff, State, change
from meshproof.cluster.assets import LABEL, OWNED, SYSTEM, asset
from meshproof.cluster.commands import CommandError, Runner
from meshproof.cluster.images import Images, wanted
from meshproof.cluster.kubectl import Kubectl
from meshproof.cluster.live import Live, mark_documents, new_mark, ready_addresses
from meshproof.cluster.manifests import Json, Key, Manifest
from meshproof.cluster.orphans import left_over
from meshproof.cluster.pods import Pod
from meshproof.cluster.port_forward import Forwards
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.settings import Settings
from meshproof.errors import MeshproofError, NotLive, Problem, Refused, UsageError
from meshproof.istio04.dump import dump
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.mesh import Ack, Applied, Source
from meshproof.project import Project
from meshproof.sources.sources import read_sources
from meshproof.wait import until

_ROLLOUT = 120.0
_NO_ANSWER = ("Unable to connect", "connection refused", "was refused - did you specify", "timeout")
"""Words of kubectl where it is the server that failed, not the input."""
ENDED = 90.0
"""Seconds that pods on their way out may take: more than their grace."""


class Standing:
    """The life of one mesh, and how a change is made in it. One caller at a time."""

    def __init__(
        self,
        project: Project,
        settings: Settings,
        place: Provider,
        runner: Runner,
        *,
        name: str,
        profile: Path,
    ) -> None:
        self.name = name
        self.project = project
        self.settings = settings
        self._place = place
        self._runner = runner
        self._profile = profile
        self._images: dict[str, str] = {}
        self._state = State()
        self._initial = State()
        self._mark = ""
        self._up = False
        self._touched = True
        """There may be something to remove: also of a process that is gone."""
        self._forwards = Forwards(lambda: self._kubectl)

    @property
    def _kubectl(self) -> Kubectl:
        return self._place.kubectl

    # -- up and down -----------------------------------------------------------------------------

    def up(self) -> Applied:
        """Every step may be repeated: what is there already is used as it is."""
        started = time.monotonic()
        sources = read_sources(self.project.manifests, stdin=self.project.stdin)
        self._touched = False
        tools.check(self._runner, self._place.tools)
        self._touched = True
        try:
            applied = self._rise(sources, started)
        except BaseException as error:
            self._give_up(error)
            raise
        self._initial = self._state
        return applied

    def _rise(self, sources: Sequence[Source], started: float) -> Applied:
        self._place.ensure()
        built = Images(self._runner, self.settings, self.project.root)
        self._images = built.build(wanted(self.project))
        self._place.deliver(self._images)
        if self.settings.istio_skip:
            istio.check(self._kubectl)
        else:
            istio.install(self._kubectl, self.settings, self._profile)
        istio.gateway_api(self._kubectl, self.settings)
        self._system()
        notes = self._place.outside(self._images)
        self._up = True
        default = manifests.default_namespace(sources, ())
        state, said = State().apply(manifests.read_all(sources, "", default))
        if left := left_over(self._kubectl, self._desired(state).keys()):
            self._kubectl.delete(dump(left), doing="deleting what is left of another run")
        acks = self._to(state, started)
        self._gateway_answers()
        return Applied(said, tuple(acks), time.monotonic() - started, notes=tuple(notes))

    def _system(self) -> None:
        """The span store, and Istio told to send it every request's spans."""
        image = next(iter(self._images.values()), "")
        if not image:
            raise UsageError("meshproof.yaml has no image with `build`; the span store needs one")
        script = {"span_store.py": asset("span_store.py")}
        config = {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "zipkin", "namespace": SYSTEM, "labels": {LABEL: OWNED}},
            "data": script,
        }  # fmt: skip
        text = "\n".join([asset("spans.yaml", {"IMAGE": image}), dump([config])])
        self._kubectl.apply(text, doing="applying the span store")
        self._kubectl.apply(asset("telemetry.yaml"), doing="applying Istio's Telemetry")
        self._rolled_out([(SYSTEM, "zipkin")])

    def _gateway_answers(self) -> None:
        url = self._place.gateway_url()
        until(
            lambda: self._runner.answers(url),
            f"waiting for the ingress gateway to answer at {url}",
            within=60,
        )

    def _give_up(self, error: BaseException) -> None:
        """Take away what was begun; why it failed matters more than why that failed too."""
        self._runner.note(f"up failed: {error}")
        try:
            self.down()
        except MeshproofError as another:
            self._runner.note(f"taking it away failed: {another}")

    def down(self) -> None:
        self._up = False
        self._forwards.close()
        if self._touched:
            self._place.remove()
            self._touched = False

    def _live(self) -> None:
        if not self._up:
            raise MeshproofError(f"the mesh {self.name} is not up")

    # -- change ----------------------------------------------------------------------------------

    def _desired(self, state: State) -> dict[Key, Json]:
        return {key: self._fit(body) for key, body in state.desired().items()}

    def _fit(self, body: Json) -> Json:
        """Labelled, with the images that were built, and as the place needs it."""
        body = manifests.labelled(body, LABEL, OWNED)
        return self._place.fit(manifests.with_images(body, self._images))

    def _to(self, state: State, started: float) -> list[Ack]:
        """Make the cluster hold ``state``; on failure make it hold what it held."""
        before, after = self._desired(self._state), self._desired(state)
        wanted_change = change(before, after)
        try:
            acks = self._change(wanted_change, state, started)
        except (NotLive, CommandError):
            self._tell(change(after, before))
            raise
        self._state = state
        return acks

    def _change(self, wanted_change: ManifestDiff, state: State, started: float) -> list[Ack]:
        if not wanted_change:
            return []
        mark = new_mark()
        self._tell(wanted_change, mark)
        moved = wanted_change.deployments
        self._rolled_out(moved)
        gone = [d for d in wanted_change.delete if d["kind"] == "Deployment"]
        return self._settled(mark, state, started, moved=bool(moved or gone))

    def _tell(self, wanted_change: ManifestDiff, mark: str = "") -> None:
        """Asked of the server first, so that nothing is applied beside what is refused. What is
        new comes before what goes, the mark last."""
        spaces = [d for d in wanted_change.apply if d["kind"] == "Namespace"]
        rest = [d for d in wanted_change.apply if d["kind"] != "Namespace"]
        if spaces:  # what is inside them cannot be asked about before they are there
            self._kubectl.apply(dump(spaces), doing="applying namespaces")
        text = dump(rest) if rest else ""
        if rest:
            self._ask(text, rest)
        marks = mark_documents(mark) if mark else ""
        if wanted_change.delete:
            if rest:
                self._kubectl.apply(text, doing="applying")
            self._kubectl.delete(dump(wanted_change.delete), doing="deleting")
            text = ""
        if text or marks:
            self._kubectl.apply("\n---\n".join(t for t in (text, marks) if t), doing="applying")

    def _ask(self, text: str, bodies: Sequence[Json]) -> None:
        """Raises Refused with what the API server and Istio's webhook say; nothing is applied."""
        try:
            self._kubectl.apply(text, doing="asking the API server first", dry_run=True)
        except CommandError as error:
            said = error.result.errors.strip()
            if any(word in said for word in _NO_ANSWER):
                raise
            titles = ", ".join(f"{b['kind']} {b['metadata']['name']}" for b in bodies)
            raise Refused([Problem("the API server", 0, titles, "", said, "", "")]) from None

    def _settled(self, mark: str, state: State, started: float, *, moved: bool) -> list[Ack]:
        """Every sidecar shows the mark, and knows the pods where some came or went."""
        wanted_addresses: dict[str, set[str]] = {}
        if moved:
            self._old_pods_gone(state)
            slices = [
                s
                for ns in state.namespaces()
                for s in self._kubectl.get(
                    "endpointslices", "-n", ns, doing=f"asking for the endpoints of {ns}"
                )
            ]
            wanted_addresses = ready_addresses(slices)
        sidecars = [p for p in self._pods(state) if p.meshed and p.alive]
        acks = Live(self._kubectl, at_once=self._runner.at_once).wait(
            mark, sidecars, wanted_addresses, started
        )
        self._mark = mark
        return acks

    def _rolled_out(self, deployments: Sequence[tuple[str, str]]) -> None:
        for namespace, name in deployments:
            if self._kubectl.wait_rollout(namespace, name, within=_ROLLOUT).code:
                found = pods.pods(
                    self._kubectl.get("pods", "-n", namespace, doing=f"looking at {namespace}")
                )
                why = [f"{p.name}: {p.reason}" for p in found if p.reason and not p.ending]
                raise NotLive(
                    f"Deployment {namespace}/{name} is not available after {_ROLLOUT:g} s; "
                    f"last: {'; '.join(why) or 'its pods are ready, its rollout is not over'}"
                )

    def _old_pods_gone(self, state: State) -> None:
        def reason() -> str:
            ending = [p.name for p in self._pods(state) if p.ending]
            return f"{', '.join(ending)} is ending" if ending else ""

        until(reason, "waiting for old pods to go", within=ENDED, every=0.5)

    # -- looking ---------------------------------------------------------------------------------

    def _pods(self, state: State | None = None) -> list[Pod]:
        """Of the workloads' namespaces and of Istio's."""
        spaces = [*(state or self._state).namespaces(), ROOT_NAMESPACE]
        return [
            pod
            for ns in spaces
            for pod in pods.pods(self._kubectl.get("pods", "-n", ns, doing=f"looking at {ns}"))
        ]

    def _resolve(self, workload: str) -> tuple[str, str]:
        self._live()
        return names.resolve(
            workload,
            [
                (i.namespace, i.name, _pod_labels(i).get("app", ""))
                for i in self._state.deployments()
            ],
        )

    def _pods_of(self, workload: str) -> list[Pod]:
        """The workload's pods that can be asked, ready ones first."""
        namespace, name = self._resolve(workload)
        body = self._state.items["Deployment", namespace, name].body
        assert body is not None
        items = self._kubectl.get("pods", "-n", namespace, doing=f"looking at {namespace}")
        found = [p for p in pods.selected(pods.pods(items), body) if p.alive]
        if not found:
            raise UsageError(
                f"{workload} has no replica; `meshproof scale {workload}=1` starts one"
            )
        return sorted(found, key=lambda p: not p.ready)


def _pod_labels(item: Manifest) -> dict[str, str]:
    assert item.body is not None
    return dict(item.body["spec"]["template"]["metadata"].get("labels") or {})
