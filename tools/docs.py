"""``python -m tools.docs``: write what pages say of the code and of runs (``make docs``)."""

from __future__ import annotations

import json
from pathlib import Path

from meshproof.cases.schema import cases_schema, project_schema
from tools import import_map
from tools.fidelity.page import render as render_fidelity
from tools.governance import page as governance

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Each page whole, or not at all."""
    artifacts, docs = ROOT / "artifacts", ROOT / "docs"
    reports, soaks = governance.read_reports(artifacts), governance.read_soaks(artifacts)
    contributing = ROOT / "CONTRIBUTING.md"
    pages = {
        docs / "fidelity.md": render_fidelity(),
        docs / "governance.md": governance.render(reports, soaks),
        contributing: import_map.insert(contributing.read_text(encoding="utf-8")),
    }
    for name, schema in (("cases", cases_schema()), ("project", project_schema())):
        text = json.dumps(schema, indent=2) + "\n"
        pages[docs / "schemas" / f"{name}.schema.json"] = text
    for file, text in pages.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
