"""The service graph as SVG: every node once, every call as an edge."""

from __future__ import annotations

from meshproof.report.calls import Call
from meshproof.report.graph_svg import draw_graph


def test_a_graph_has_every_node_once_and_every_call() -> None:
    calls = [
        Call("gateway", "svca", False, 9, 0, 1.0, 2.0),
        Call("svca", "svcb-v1", False, 5, 1, 1.0, 2.0),
        Call("svca", "svcb-v2", False, 4, 0, 1.0, 2.0),
        Call("svcb-v1", "svca", False, 1, 0, 1.0, 2.0),
        Call("svcb-v2", "msgd.test", True, 4, 0, 1.0, 2.0),
    ]
    graph = draw_graph(calls)
    assert graph is not None
    positions = {node.name: (node.x, node.y) for node in graph.nodes}
    assert len(set(positions.values())) == len(positions) == 5
    assert (
        positions["gateway"][0]
        < positions["svca"][0]
        < positions["svcb-v1"][0]
        < positions["msgd.test"][0]
    )
    assert positions["svcb-v1"][0] == positions["svcb-v2"][0]
    assert [edge.call for edge in graph.edges] == calls
    assert all(x >= 0 and x + 150 <= graph.width and y + 46 <= graph.height
               for x, y in positions.values())  # fmt: skip


def test_without_calls_there_is_no_graph() -> None:
    assert draw_graph([]) is None
