"""Every sentence of the pages goes through here, so that a catalogue of another language can answer in its
place.

    _("Sign out")                               the sentence in the language that is spoken now
    N_("Sign out")                              only marks it, in tables that are made once: `_` where shown
    P_("%d session", "%d sessions")             marks a sentence that counts, as a pair for `counted`
    counted(3, *P_("%d session", "%d sessions"))

    look_in(folder)      where the compiled catalogues are, as TAG.cat
    speak(tag)           before anything is said to somebody. It holds until the next `speak`, so whoever has
                         awaited something says it again: another reader was answered meanwhile.

What has no translation is said in English: the log and the serial console always are.
"""

from gatelodge import compat, log
from gatelodge.catalogue import Catalogue
from gatelodge.contract import languages
from gatelodge.contract.catalogue import N_ as N_  # to be had here by the shells
from gatelodge.contract.catalogue import PART
from gatelodge.contract.languages import ENGLISH

MOST_OPEN = 2  # catalogues; each holds up to 20 KB


class _Spoken:
    language = ENGLISH
    catalogue = None  # None: English
    folder = ""
    open = []  # (tag, Catalogue), the one used last at the end


def look_in(folder):
    while _Spoken.open:
        _Spoken.open.pop()[1].close()
    _Spoken.folder = folder
    _Spoken.language, _Spoken.catalogue = ENGLISH, None


def speak(tag):
    """tag: of languages.BY_TAG."""
    if tag == _Spoken.language.tag:
        return
    _Spoken.catalogue = _catalogue(tag)
    _Spoken.language = languages.BY_TAG[tag if _Spoken.catalogue else ENGLISH.tag]


def language():
    """The Language that is spoken now."""
    return _Spoken.language


def available():
    """The Languages that can be spoken, English first."""
    return [row for row in languages.LANGUAGES if row is ENGLISH or compat.exists(_path(row.tag))]


def _(text):
    if _Spoken.catalogue is None:
        return text
    return _find(text) or text


def P_(one, many):
    return one, many


def counted(count, one, many):
    """ "1 device", "3 devices": in each is a %d for the count."""
    forms = _find(one) if _Spoken.catalogue is not None else None
    if forms is None:
        return (one, many)[ENGLISH.plural(count)] % count
    return forms.split(PART)[_Spoken.language.plural(count)] % count


def _find(text):
    try:
        return _Spoken.catalogue.find(text)
    except OSError as error:
        log.debug("web", "a translation could not be read: %s", error)
        return None


def _catalogue(tag):
    """The open catalogue, or None: English needs none, and what cannot be read is none."""
    if tag == ENGLISH.tag:
        return None
    opened = [row for row in _Spoken.open if row[0] == tag]
    try:
        row = opened[0] if opened else (tag, Catalogue(_path(tag)))
    except (OSError, ValueError) as error:
        log.debug("web", "the language %s cannot be spoken: %s", tag, error)
        return None
    _Spoken.open = [other for other in _Spoken.open if other is not row] + [row]
    if len(_Spoken.open) > MOST_OPEN:
        _Spoken.open.pop(0)[1].close()
    return row[1]


def _path(tag):
    return _Spoken.folder + "/" + tag + ".cat"
