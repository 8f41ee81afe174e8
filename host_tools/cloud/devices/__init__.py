"""The routers' side of the cloud: their own mutual-TLS listener and one live link per router.

    from host_tools.cloud.devices.hub import DeviceHub        the links, by serial number
    from host_tools.cloud.devices.callbacks import Callbacks  what leaves them for the rest of the cloud
    from host_tools.cloud.devices.registry import Registry    the port that the database implements
    from host_tools.cloud.devices.tls import device_context   the listener's TLS
    from host_tools.cloud.devices.listener import start_listener
"""
