"""pytest fixtures that bring a mesh up, load it, and judge what happened.

For your own rules (docs/testing-your-rules.md):

``mesh``      the mesh of this session (``MESH=embedded`` by default); rules are reset after each
              test
``apply``     applies files or YAML text for one test
``assert_*``  send requests and judge what became of them: ``meshproof.assertions``

Beneath them:

``run``       fresh run ids, and the access log and spans recorded under them
``load``      starts Locust on the mesh's gateway; ended with the test
``evidence``  the test's folder under ``--artifacts``
``judge``     records a verdict and requires it: ``judge(verdict)``, and for a negative control
              ``judge(verdict, expect="fail", because="REGEX")``

Nothing starts, and nothing heavy is imported, in a session whose tests use none of these.
"""

from meshproof.plugin.start_load import StartLoad
from meshproof.report.expectation import Judge

__all__ = ["Judge", "StartLoad"]

pytest_plugins = (
    "meshproof.plugin.options",
    "meshproof.plugin.artifacts",
    "meshproof.plugin.mesh_fixture",
    "meshproof.plugin.run_fixtures",
    "meshproof.plugin.assertion_fixtures",
    "meshproof.plugin.summary",
)
"""Where fixtures and hooks are; pytest loads these modules."""
