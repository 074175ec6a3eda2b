"""Tests of rules in YAML: requests, and what must become of each; judged on files or on a mesh."""
