"""The factory: its keys, its serial bench, its records and its labels.

`gatelodge factory init` makes a directory of keys (authority.py). `gatelodge provision` takes one
blank router from its serial port through eight steps (provision.py): identify, make key, sign, write
identity, self-test, lock, prove lock, record. The device key is made on the router and never leaves it,
and so is the service code; the factory signs the one, prints the other on the label (label.py), and
keeps only a keyed hash of it for the cloud (records.py).

A router is good when the ledger says so (ledger.py), and never before it has refused code over the very line
that it was provisioned through. Everything before that can be run again.
"""
