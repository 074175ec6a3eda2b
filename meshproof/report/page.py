"""A report as one HTML file that needs nothing else: no network, no server, no other file.

Text, tables, service graphs and waterfalls are there without any script; the charts are drawn by
plotly, which travels inside, compressed, and is unpacked when the first chart is looked at.
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

import jinja2
from markupsafe import Markup

from meshproof.report.calls import Call
from meshproof.report.graph_svg import picture
from meshproof.report.sections import Json

_PAGE = "meshproof.report"


def html(report: Json) -> str:
    """The page of ``chapter.report``'s data. Every text in it is escaped."""
    chapters = [_shown(number, one) for number, one in enumerate(report["chapters"])]
    verdicts = [(one, verdict) for one in chapters for verdict in one["verdicts"]]
    drawn = any(one["loads"] or one["changes"] for one in chapters)
    return _template().render(
        report=report, chapters=chapters, verdicts=verdicts,
        total=_total(chapters),
        at=datetime.fromtimestamp(report["at"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        style=Markup(_file("page/report.css")),  # noqa: S704 (our own files)
        script=Markup(_file("page/report.js")),  # noqa: S704
        data=Markup(_json({one["number"]: _charts(one) for one in chapters})),  # noqa: S704
        plotly=_plotly() if drawn else "",
    )  # fmt: skip


def write(report: Json, json_file: Path) -> Path:
    """Both files, ``.json`` and ``.html`` beside it; the page's path is returned."""
    json_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    page = json_file.with_suffix(".html")
    page.write_text(html(report), encoding="utf-8")
    return page


def _shown(number: int, chapter: Json) -> Json:
    wrong = chapter["outcome"] in ("failed", "rolled back") or any(
        verdict["outcome"].isupper() or verdict["outcome"].startswith("PASSED")
        for verdict in chapter["verdicts"]
    )
    calls = [Call(**call) for call in chapter["calls"]]
    services = sorted({row["service"] for trace in chapter["traces"] for row in trace["rows"]})
    return {
        **chapter,
        "number": number,
        "wrong": wrong,
        "picture": picture(calls),
        "services": services,
        "slowest": max((change["seconds"] for change in chapter["changes"]), default=0.0),
    }


def _total(chapters: Sequence[Json]) -> Json:
    """What the first line of the page says; durations in milliseconds."""
    live = sorted(
        1000 * change["seconds"]
        for one in chapters
        for change in one["changes"]
        if change["sidecars"]
    )
    return {
        "right": sum(not one["wrong"] for one in chapters),
        "controls": sum(v["expect"] == "fail" for one in chapters for v in one["verdicts"]),
        "requests": sum(load["sent"] for one in chapters for load in one["loads"]),
        "changes": len(live),
        "median": live[len(live) // 2] if live else None,
    }


def _charts(chapter: Json) -> Json:
    return {"loads": chapter["loads"], "changes": chapter["changes"]}


def _json(data: Any) -> str:
    """JSON that may stand inside a script element."""
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
    """A third of its size, as text."""
    code = importlib.resources.files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
    return base64.b64encode(gzip.compress(code, 6, mtime=0)).decode("ascii")
