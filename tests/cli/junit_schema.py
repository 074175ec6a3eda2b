"""JUnit's XML as the schema of Jenkins' xunit plugin has it, the strictest that CI systems use.

Its file is src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd; what that
allows of each element is told here in our own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

SECONDS = re.compile(r"([0-9]{0,3},)*[0-9]{0,3}[0-9]*(\.[0-9]*)?")


@dataclass(frozen=True)
class Element:
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    has_text: bool = False


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VERDICT = Element(_names(""), _names("type message"), has_text=True)
_OUTPUT = Element(_names(""), has_text=True)
ELEMENTS = {
    "testsuites": Element(
        _names(""), _names("name time tests failures errors"), _names("testsuite")
    ),
    "testsuite": Element(
        _names("name tests failures errors"),
        _names("group time skipped timestamp hostname id package file log url"),
        _names("testsuite properties testcase system-out system-err"),
    ),
    "testcase": Element(
        _names("name"),
        _names("time classname group"),
        _names("skipped error failure system-out system-err"),
    ),
    "failure": _VERDICT,
    "error": _VERDICT,
    "skipped": _VERDICT,
    "system-out": _OUTPUT,
    "system-err": _OUTPUT,
}
BEYOND = _names("file line")
"""Attributes of a test case that the schema lacks. GitLab links a case to its ``file``."""


def violations(text: str) -> list[str]:
    """What of a report the schema does not allow, but for ``BEYOND``."""
    root = ET.fromstring(text)
    if root.tag != "testsuites":
        return [f"the root is {root.tag}"]
    return [problem for element in root.iter() for problem in _of(element)]


def _of(element: ET.Element) -> list[str]:
    rule = ELEMENTS.get(element.tag)
    if rule is None:
        return [f"no element {element.tag}"]
    attributes = set(element.attrib) - (BEYOND if element.tag == "testcase" else set())
    problems = [f"{element.tag} lacks {name}" for name in sorted(rule.required - attributes)]
    unknown = attributes - rule.required - rule.optional
    problems += [f"{element.tag} has no {name}" for name in sorted(unknown)]
    problems += [f"{element.tag} holds {c.tag}" for c in element if c.tag not in rule.children]
    if not rule.has_text and (element.text or "").strip():
        problems.append(f"{element.tag} holds text")
    if "time" in attributes and not SECONDS.fullmatch(element.attrib["time"]):
        problems.append(f"{element.tag} took {element.attrib['time']}")
    return problems
