"""How far a router is provisioned, and what its locked console says: what lasts of the bench's contract.

A locked router needs these words for as long as it runs, and nothing else of provisioning.py.
"""

# In the order in which a bench reaches them.
BLANK, KEYED, IDENTIFIED, TESTED, LOCKED = STATES = ("blank", "keyed", "identified", "tested", "locked")

# The first words of every refusal of a locked console; the bench proves the lock by them.
LOCKED_SENTENCE = "This console is locked. Type help."
