"""A report as one HTML file that needs nothing else: no network, no server, no other file.

Text, tables, service graphs and waterfalls need no script. The charts are drawn by plotly, which is
embedded in compressed form and unpacked when the first chart comes into view.
"""

from __future__ import annotations

import base64
import functools
import gzip
import importlib.resources
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meshproof.extras import MissingExtra, require
from meshproof.report.calls import Call
from meshproof.report.graph_svg import draw_graph
from meshproof.report.sections import Json

try:
    import jinja2
    from markupsafe import Markup
except ModuleNotFoundError as error:
    raise MissingExtra(str(error.name)) from error

_PAGE = "meshproof.report"


def render_html(report: Json) -> str:
    """The page of a report (``sections.build_report``). Every text in it is escaped."""
    views = [_view(number, one) for number, one in enumerate(report["chapters"])]
    sections = sorted(views, key=_rank)
    has_charts = any(one["loads"] or one["changes"] for one in sections)
    return _template().render(
        report=report, sections=sections,
        total=_total(sections),
        at=datetime.fromtimestamp(report["at"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        style=Markup(_file("page/report.css")),  # noqa: S704 (our own files)
        script=Markup(_file("page/report.js")),  # noqa: S704
        data=Markup(_json({one["number"]: _charts(one) for one in sections})),  # noqa: S704
        plotly=_plotly() if has_charts else "",
    )  # fmt: skip


def write_report(report: Json, json_file: Path) -> Path:
    """Write the ``.json``, and the ``.html`` beside it; returns the path of the page."""
    json_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    page = json_file.with_suffix(".html")
    page.write_text(render_html(report), encoding="utf-8")
    return page


def _view(number: int, section: Json) -> Json:
    """A section with what the template needs besides."""
    wrong = section["outcome"] in ("failed", "rolled back") or any(
        verdict["outcome"].isupper() or verdict["outcome"].startswith("PASSED")
        for verdict in section["verdicts"]
    )
    calls = [Call(**call) for call in section["calls"]]
    services = sorted({row["service"] for trace in section["traces"] for row in trace["rows"]})
    return {
        **section,
        "number": number,
        "wrong": wrong,
        "graph": draw_graph(calls),
        "services": services,
        "slowest": max((change["seconds"] for change in section["changes"]), default=0.0),
    }


def _rank(view: Json) -> int:
    """What failed stands first, what was skipped last."""
    if view["wrong"]:
        return 0
    return 2 if view["outcome"] == "skipped" else 1


def _total(sections: Sequence[Json]) -> Json:
    """The figures in the first line of the page; durations in milliseconds."""
    live = sorted(
        1000 * change["seconds"]
        for one in sections
        for change in one["changes"]
        if change["sidecars"]
    )
    return {
        "judged": sum(one["outcome"] != "skipped" for one in sections),
        "right": sum(not one["wrong"] and one["outcome"] != "skipped" for one in sections),
        "skipped": sum(one["outcome"] == "skipped" for one in sections),
        "verdicts": sum(len(one["verdicts"]) for one in sections),
        "controls": sum(v["expect"] == "fail" for one in sections for v in one["verdicts"]),
        "requests": sum(load["sent"] for one in sections for load in one["loads"]),
        "changes": len(live),
        "median": live[len(live) // 2] if live else None,
    }


def _charts(section: Json) -> Json:
    return {"loads": section["loads"], "changes": section["changes"]}


def _json(data: Any) -> str:
    """JSON that is safe inside a script element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"


def _figures(figures: Json) -> str:
    return ", ".join(f"{name} {_figure(value)}" for name, value in figures.items())


def _figure(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_figure(one) for one in value) + "]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@functools.cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader(_PAGE, "page")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"milliseconds": _milliseconds, "figures": _figures}
    return environment.get_template("report.html.j2")


def _file(name: str) -> str:
    return importlib.resources.files(_PAGE).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _plotly() -> str:
    """Its code as text, a third of its size."""
    require("plotly")
    code = importlib.resources.files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
    return base64.b64encode(gzip.compress(code, 6, mtime=0)).decode("ascii")
