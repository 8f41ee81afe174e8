"""Every sentence of the pages goes through here, so that catalogues of other languages can answer in its
place.

    _("Sign out")                               the sentence in the language of whoever is answered now
    N_("Sign out")                              only marks it, in tables that are made once: `_` where shown
    P_("%d session", "%d sessions")             marks a sentence that counts, as a pair for `counted`
    counted(3, *P_("%d session", "%d sessions"))
"""

from collections import namedtuple

Language = namedtuple("Language", ("tag", "name", "decimal_mark"))

_ENGLISH = Language("en", "English", ".")


def language():
    """The Language that is spoken now."""
    return _ENGLISH


def _(text):
    return text


def N_(text):
    return text


def P_(one, many):
    return one, many


def counted(count, one, many):
    """ "1 device", "3 devices": in each is a %d for the count."""
    return (one if count == 1 else many) % count
