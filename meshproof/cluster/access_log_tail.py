"""The newest lines of sidecars' access logs: read from where the last reading ended."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.cluster import evidence
from meshproof.cluster.evidence import ClusterEvidence
from meshproof.cluster.pods import Pod
from meshproof.istio_names import ClusterName
from meshproof.mesh import AccessRecord, Tail
from meshproof.telemetry import access_log_cursor
from meshproof.telemetry.access_log_cursor import NOW


class AccessLogTail:
    """See ``SupportsRelease.tail``. A cursor counts the lines of each pod's log; those that a pod
    wrote after the last reading, before it went away, are lost."""

    def __init__(self, of_pods: ClusterEvidence) -> None:
        self._evidence = of_pods

    def read(self, pods: Sequence[Pod], host: str, cursor: str) -> Tail:
        """Raises UsageError for a cursor that no earlier call returned."""
        offsets = access_log_cursor.parse(cursor)
        records: list[AccessRecord] = []
        for pod, log in zip(pods, self._evidence.wait_written(pods), strict=True):
            key = f"{pod.namespace}/{pod.name}"
            lines = log[: log.rfind("\n") + 1].splitlines()
            if cursor != NOW:
                new = lines[offsets.get(key, 0) :]
                records += _calls(new, pod, host)
            offsets[key] = len(lines)
        return Tail(tuple(records), access_log_cursor.render(offsets))


def _calls(lines: Sequence[str], pod: Pod, host: str) -> list[AccessRecord]:
    """The calls to a host that a pod's sidecar logged."""
    candidates = "\n".join(line for line in lines if f'|{host}"' in line)
    return [
        record
        for record in evidence.records(candidates, pod, "")
        if (cluster := ClusterName.parse(record.upstream_cluster)) and cluster.host == host
    ]
