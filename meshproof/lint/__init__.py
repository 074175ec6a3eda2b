"""Warnings about rules that are valid, but do nothing, or less than they seem to.

Istio accepts such rules without a warning. ``lint.linter`` runs all checks; each file holds the
checks of one subject. A check reports only what is certain: what depends on the caller's namespace
or on ``exportTo`` is left alone.
"""
