"""The Gateway API in Istio's terms: Gateways, and routes at Gateways and in the mesh (GAMMA).

``listeners.convert_gateways``, ``convert.convert_virtual_services`` and
``backend_policies.convert_backend_policies`` convert; ``status.route_statuses`` and
``gateway_status.gateway_statuses`` report conditions.
"""
