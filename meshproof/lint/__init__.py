"""Warnings about rules that are valid, but do nothing, or less than they seem to.

Istio takes such rules without a word. Import from ``lint.check``; one file an idea. Only what is
certain is said: what depends on the caller's namespace or on ``exportTo`` is left alone.
"""
