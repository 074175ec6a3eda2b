"""Istio 0.4's rules (config.istio.io/v1alpha2) as networking.istio.io/v1, behaviour kept.

The doors are ``lower.lower``, ``warnings.find_istio04_warnings`` and ``convert.convert``.
"""
