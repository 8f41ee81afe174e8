"""The factory: its keys, its serial bench, its ledger and its labels; README.md tells of each.

`gatelodge factory init` makes a directory of keys (authority.py). `gatelodge provision` takes blank routers
from their serial ports (ports.py, factory_line.py) through the table of steps (steps.py): a pure core decides
(engine.py, resume.py), unit/ acts, events.py says what goes on. The device key is made on the router and
never leaves it, and so is the service code; the factory signs the one, prints the other on the label
(label/), and keeps only a keyed hash of it for the cloud (records.py).

A router is good when the ledger says so (ledger.py), and never before it has refused code over the very line
that it was provisioned through. Everything before that can be run again.
"""
