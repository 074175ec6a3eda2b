"""The verbs: one module per verb, which registers itself with ``app.command``.

New modules are found automatically. Importing one must be cheap (``meshproof apply`` is used in
loops), so heavy imports are inside functions.
"""
