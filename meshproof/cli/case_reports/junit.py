"""The report as JUnit's XML: a suite a case file."""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree import ElementTree as ET

from meshproof.cases.results import CaseResult, Outcome, Report

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """A refusal is an error of a suite of its own."""
    name = "meshproof test" if report.pods else "meshproof test, in a mesh without pods"
    root = ET.Element("testsuites", name=name, time=f"{report.seconds:.3f}")
    suites: defaultdict[str, list[CaseResult]] = defaultdict(list)
    for result in report.results:
        suites[result.case.place.file].append(result)
    for file, results in suites.items():
        _add_suite(root, file, results)
    if report.problems:
        suite = _suite(root, "refused", len(report.problems), errors=len(report.problems))
        for problem in report.problems:
            name = f"{problem.file}:{problem.line}"
            case = ET.SubElement(suite, "testcase", classname="refused", name=_clean(name))
            ET.SubElement(case, "error", message=_clean(str(problem)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode")


def _add_suite(root: ET.Element, file: str, results: list[CaseResult]) -> None:
    failures = sum(r.outcome is not Outcome.PASSED for r in results)
    seconds = sum(r.seconds for r in results)
    suite = _suite(root, file, len(results), failures=failures, seconds=seconds)
    for result in results:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=_clean(file),
            name=_clean(result.case.title),
            file=_clean(file),
            line=str(result.case.place.line),
            time=f"{result.seconds:.4f}",
        )
        if result.outcome is not Outcome.PASSED:
            failure = ET.SubElement(case, "failure", type=result.outcome.value)
            failure.set("message", _clean(result.lines[0] if result.lines else ""))
            failure.text = _clean("\n".join(result.lines))
        if result.warnings:
            ET.SubElement(case, "system-out").text = _clean("\n".join(result.warnings))


def _suite(
    root: ET.Element,
    name: str,
    tests: int,
    *,
    failures: int = 0,
    errors: int = 0,
    seconds: float = 0.0,
) -> ET.Element:
    return ET.SubElement(
        root,
        "testsuite",
        name=_clean(name),
        tests=str(tests),
        failures=str(failures),
        errors=str(errors),
        time=f"{seconds:.3f}",
    )


def _clean(text: str) -> str:
    """Without characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
