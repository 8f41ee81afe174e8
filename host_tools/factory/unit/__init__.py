"""One router at one port: what each step does (identity, firmware, self_test, finish), and who drives it.

    verdict = drive(port, means, rows, tell, abort)

Every step may be done again: it looks at what is there first, and changes nothing that is right already.
"""
