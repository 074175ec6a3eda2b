"""Reports of ``meshproof test``: text, JSON, JUnit, SARIF, GitHub annotations, a page."""
