"""Istio 0.4's rules (config.istio.io/v1alpha2) as networking.istio.io/v1, behaviour kept.

Import from the files of this folder: ``lower.lower``, ``notes.warnings``, ``dump.to_yaml``.
"""
