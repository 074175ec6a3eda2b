"""What Istio's API server refuses or warns of, whatever of it a mesh here honours.

Each module goes through one kind as Istio does: the CRD's schema and CEL rules (istio/api,
``kubernetes/customresourcedefinitions.gen.yaml``) and the webhook's functions of
``pkg/config/validation``, which its docstrings name. The typed models (``meshproof.model``) judge
what is honoured; these rules judge the document as it was written, and so also the fields that are
not honoured yet. ``rules`` is the table, and the way in. Pure.
"""
