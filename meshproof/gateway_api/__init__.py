"""The Gateway API's HTTPRoute with mesh parents (GAMMA), turned into VirtualServices as Istio does.

Import from the files of this folder: ``convert.virtual_services``, ``status.statuses``.
"""
