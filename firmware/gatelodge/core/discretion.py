"""What of a line of the log may leave the router: words of known shapes, and no secret that the store holds.

A word is let through by what it looks like, for no list knows every secret: a session's token, a hash or a
serial console's input may stand where nobody thought of it. Whatever has another shape becomes MASK. A
password that is a word looks like one; none is ever passed to the log.
"""

MASK = "…"
LEAST_SECRET = 8  # letters and digits: shorter ones are no secret, and would be found everywhere
_EDGES = " \"'()[]{}<>,;|.:=!?"
_SEPARATORS = "-_./+:"
_WORD = 20  # letters of a word
_CAPITALS = 5  # of LAN, HTTPS: a service code's groups have four, so one such part in a run is all
_DIGITS = 10  # unix seconds
_MIXED = 7  # of aarch64; the ids of claims and commands have 16
_PARTS = 12
_MOMENT = "2026-11-21T17:20:00Z"  # as the log spells it


def line(text, public, secrets):
    """The line as it may be told. public: words that pass as they are. secrets: as `squeezed` gives them."""
    bare = squeezed(text)
    if any(secret in bare for secret in secrets):
        return MASK
    return " ".join([_told(word, public) for word in text.split(" ")])


def squeezed(text):
    """Letters and digits alone, in capitals: however a code was grouped, it is the same."""
    return "".join([each for each in text.upper() if each.isdigit() or each.isalpha()])


def secrets_in(value):
    """Every text in a value of the store that is long enough to be one, squeezed."""
    if isinstance(value, str):
        found = squeezed(value)
        return [found] if len(found) >= LEAST_SECRET else []
    if isinstance(value, dict):
        value = list(value.values())
    return [each for item in value for each in secrets_in(item)] if isinstance(value, list) else []


def _told(word, public):
    core = word.strip(_EDGES)
    return word if core in public or not core or is_plain(core) else word.replace(core, MASK)


def is_plain(word):
    """Whether a word, without the marks around it, has a shape that no secret has."""
    if len(word.encode()) != len(word):
        return False
    if len(word) == len(_MOMENT) and (word[10], word[19]) == (_MOMENT[10], _MOMENT[19]):
        word = word[:10] + "-" + word[11:19]
    parts = _parts(word)
    if not parts or len(parts) > _PARTS or _is_mac(word, parts):
        return False
    if word.count(":") >= 2 and all(_is_group(part) for part in parts):
        return True  # an IPv6 address
    odd = [part for part in parts if not _is_natural(part)]
    return not odd or (len(odd) == 1 and _is_short(odd[0]))


def _parts(word):
    for separator in _SEPARATORS:
        word = word.replace(separator, " ")
    return word.split()


def _is_mac(word, parts):
    return word.count(":") == 5 and len(parts) == 6 and all(len(part) == 2 for part in parts)


def _is_group(part):
    return len(part) <= 4 and all(each in "0123456789abcdef" for each in part)


def _is_natural(part):
    """A word of a language, a class of errors, or a number."""
    if part.isdigit():
        return len(part) <= _DIGITS
    if not part.isalpha() or len(part) > _WORD:
        return False
    return part.islower() or (part[0].isupper() and (len(part) == 1 or part[1:].islower())) or _is_error(part)


def _is_error(part):
    return part.endswith("Error") and len(part) > 5


def _is_short(part):
    """A part of which a run may have one: an abbreviation, or a name with a number in it."""
    if part.isalpha() and part.isupper():
        return len(part) <= _CAPITALS
    return len(part) <= _MIXED and part == part.lower() and all(_is_sign(each) for each in part)


def _is_sign(each):
    return each.isdigit() or each.isalpha()
