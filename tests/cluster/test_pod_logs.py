"""A pod's log is read whole once, and then only what is new."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from meshproof.cluster.pod_logs import PodLogs


class Kubelet:
    """Has a container's log, and gives it from a time on, to the second."""

    def __init__(self, zone: str = "Z") -> None:
        self.zone = zone
        self.lines: list[str] = []
        self.since: list[str] = []

    def write(self, time: str, line: str) -> None:
        self.lines.append(f"2026-11-30T19:{time}{self.zone} {line}\n")

    def get(self, path: str) -> bytes:
        query = parse_qs(urlsplit(path).query)
        assert query["timestamps"] == ["true"]
        self.since.append(query.get("sinceTime", [""])[0])
        recent = [line for line in self.lines if line[:19] >= self.since[-1][:19]]
        return "".join(recent).encode()


def test_only_the_last_two_seconds_are_read_again() -> None:
    kubelet = Kubelet()
    logs = PodLogs(kubelet.get)
    assert logs.read("ns", "pod", "app") == ""
    kubelet.write("00:01.100000000", "a")
    kubelet.write("00:02.100000000", "b")
    kubelet.write("00:03.100000000", "c")
    assert logs.read("ns", "pod", "app") == "a\nb\nc\n"
    kubelet.write("00:03.100000001", "d")
    kubelet.write("00:02.999999999", "of the other stream")
    kubelet.write("00:07.5", "e")
    assert logs.read("ns", "pod", "app") == "a\nb\nc\nd\nof the other stream\ne\n"
    assert logs.read("ns", "pod", "app") == "a\nb\nc\nd\nof the other stream\ne\n"
    assert kubelet.since[2:] == ["2026-11-30T19:00:02+00:00", "2026-11-30T19:00:06+00:00"]
    assert kubelet.since[:2] == ["", ""]


def test_logs_are_kept_apart_and_a_nodes_time_zone_is_kept() -> None:
    kubelet = Kubelet("+05:30")
    logs = PodLogs(kubelet.get)
    kubelet.write("00:01.100000000", "a")
    assert logs.read("ns", "pod", "app") == logs.read("ns", "pod", "istio-proxy") == "a\n"
    logs.read("ns", "pod", "app")
    assert kubelet.since == ["", "", "2026-11-30T19:00:00+05:30"]
