"""Whether a running mesh did what the files say, whatever a case expects. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from meshproof.cases.evidence import Observation
from meshproof.cases.facts import Facts, Responder, responder_of
from meshproof.cases.judge import describe_outcome
from meshproof.cases.mismatch import Mismatch
from meshproof.cases.names import outside_names
from meshproof.cases.planned_mesh import PlannedMesh
from meshproof.explain.result import APP, CLOSED, Outcome

FIELD = "files"


def find_unforeseen(observations: Sequence[Observation], facts: Facts) -> Iterator[Mismatch]:
    """One mismatch if any request ended in a way that the files give no chance."""
    outcomes = [o for chance, o in facts.outcomes if chance > 0]
    wrong = [o for o in observations if not any(_fits(o, p, facts.mesh) for p in outcomes)]
    if wrong:
        kinds = Counter(describe_observation(o) for o in wrong)
        text = ", ".join(f"{n} x {kind}" for kind, n in kinds.most_common(3))
        wanted = " or ".join(dict.fromkeys(_describe(o) for o in outcomes))
        yield Mismatch(FIELD, wanted, f"{text} of {len(observations)}")


def describe_observation(observation: Observation) -> str:
    if observation.responder is None:
        text = f"{observation.status or 'no answer'} from the mesh"
        return f"{text}, to {observation.location}" if observation.location else text
    where = f" as {observation.host}{observation.path}" if observation.path else ""
    return f"{observation.responder}{where}"


def _describe(outcome: Outcome) -> str:
    received = urlsplit(outcome.received.partition(" ")[2])
    if outcome.kind != APP:
        return describe_outcome(outcome)
    return f"{describe_outcome(outcome)} as {received.netloc}{_path(outcome)}"


def _fits(observation: Observation, outcome: Outcome, mesh: PlannedMesh) -> bool:
    responder, expected = observation.responder, responder_of(outcome)
    if expected is None or responder is None:
        return expected is None and responder is None and _fits_answer(observation, outcome)
    if not expected.namespace:
        return is_outside(responder, observation.host, outside_names(mesh, expected.name))
    if outcome.kind != APP:
        return responder == expected
    received = urlsplit(outcome.received.partition(" ")[2])
    arrived = (observation.host, observation.path)
    return responder == expected and arrived == (received.netloc, _path(outcome))


def _fits_answer(observation: Observation, outcome: Outcome) -> bool:
    """Of the mesh's own answer; a connection that it closes has no status to compare."""
    if outcome.kind == CLOSED:
        return True
    is_same = outcome.status is None or outcome.status == observation.status
    return is_same and outcome.location == observation.location


def _path(outcome: Outcome) -> str:
    """Path and query as they stand in the request line."""
    url = outcome.received.partition(" ")[2]
    rest = url.partition("://")[2]
    return rest[rest.find("/") :] if "/" in rest else "/"


def is_outside(responder: Responder | None, authority: str, names: set[str]) -> bool:
    """Whether a host outside answered that has one of these names."""
    if responder is None or responder.namespace:
        return False
    return responder.name in names or authority.partition(":")[0].lower() in names
