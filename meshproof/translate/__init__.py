"""Translates the mesh's rules to Envoy resources. Pure: a ``World`` in, dicts out, no I/O.

Every resource is a dict in protobuf's JSON form with snake_case names, ready for
``json_format.ParseDict``; equal worlds give equal resources in equal order. Docstrings name the
file of Istio that a module follows; paths such as core/route/route.go are relative to
pilot/pkg/networking. ``envoy_config`` puts the parts together.

Nothing is imported here: what reads rules without translating them needs ``world`` and little else.
"""
