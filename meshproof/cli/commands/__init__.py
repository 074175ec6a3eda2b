"""The command line's verbs: a module a verb, each registers itself with ``app.command``.

A new module here is found by itself. Importing one must be cheap (``meshproof apply`` is used in
loops), so that heavy imports stand in functions.
"""
