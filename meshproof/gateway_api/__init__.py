"""The Gateway API's HTTPRoute with mesh parents (GAMMA), converted to VirtualServices as in Istio.

``convert.convert_virtual_services`` converts, ``status.route_statuses`` reports conditions.
"""
