"""docs/fidelity.md, made out of the models: what is as Istio does it, differs, or is refused.

``python -m tools.fidelity`` prints it; tests/fidelity holds the file against the code.
"""
