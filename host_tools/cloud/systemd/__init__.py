"""What `cloud serve` and systemd say to each other: readiness, sockets handed over, lines of the journal.

Each part is told by variables of the environment that systemd sets; where they are not, it does nothing.
"""
