"""Every message that leaves the cloud: one queue, and a driver that carries it."""
