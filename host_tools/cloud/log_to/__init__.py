"""The log on another system: syslog over TLS."""
