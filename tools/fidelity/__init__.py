"""docs/fidelity.md, written from the models: what is as in Istio, what differs, what is refused.

``python -m tools.fidelity`` prints it, ``make docs`` writes it, and tests/tools/test_fidelity.py
compares the file with the code.
"""
