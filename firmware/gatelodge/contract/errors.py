"""Every error that Gatelodge raises on purpose, in one tree.

GatelodgeError
 +-- OurError              we were asked for something that makes no sense here and now
 |    +-- StateError       the call does not fit the present state
 |    +-- ValueRangeError  a value outside its declared range
 +-- TheirError            the other side sent something that the contract does not allow
 |    +-- MessageError     a phone-home message
 |    +-- ServiceCodeError a service code with a typing error
 |    +-- BundleError      a firmware bundle
 |    +-- BoardError       a board.json
 |    +-- BenchError       a record or an answer at the serial bench
 +-- LineError             the line between us broke, or was silent past a deadline

Catch the class that names whose fault it was: an `OurError` is a bug or a wrong call,
a `TheirError` is answered and logged, a `LineError` is retried.
"""


class GatelodgeError(Exception):
    """The root. Its text is one sentence for a person: what is wrong, then what to do."""


class OurError(GatelodgeError):
    pass


class StateError(OurError):
    pass


class ValueRangeError(OurError):
    pass


class TheirError(GatelodgeError):
    pass


class MessageError(TheirError):
    pass


class ServiceCodeError(TheirError):
    """text: the sentence, with a % for each of the values, so that it can be said in another language."""

    def __init__(self, text, *values):
        super().__init__(text % values if values else text)
        self.text = text
        self.values = values


class BundleError(TheirError):
    """why: one of contract/bundle.py's kinds of fault, for whoever says it in another language."""

    def __init__(self, text, why="damaged"):
        super().__init__(text)
        self.why = why


class BoardError(TheirError):
    pass


class BenchError(TheirError):
    pass


class LineError(GatelodgeError):
    pass
