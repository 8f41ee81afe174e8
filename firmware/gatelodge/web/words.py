"""Numbers and times as people read them, in the language of whoever is answered (text.py)."""

import time

from gatelodge import text
from gatelodge.text import N_, P_, _, counted

# (from here on, digits after the point, form)
_RATES = (
    (1000000000, 1, N_("%s Gbit/s")),
    (1000000, 1, N_("%s Mbit/s")),
    (1000, 0, N_("%s kbit/s")),
    (0, 0, N_("%s bit/s")),
)
_SIZES = (
    (1000000000, 1, N_("%s GB")),
    (1000000, 1, N_("%s MB")),
    (1000, 0, N_("%s KB")),
)
_BYTES = P_("%d byte", "%d bytes")

# (seconds, so long, so long ago): apart, because languages bend the two differently.
_SPANS = (
    (86400, P_("%d day", "%d days"), P_("%d day ago", "%d days ago")),
    (3600, P_("%d hour", "%d hours"), P_("%d hour ago", "%d hours ago")),
    (60, P_("%d minute", "%d minutes"), P_("%d minute ago", "%d minutes ago")),
    (1, P_("%d second", "%d seconds"), P_("%d second ago", "%d seconds ago")),
)

_MONTHS = N_("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")


def number(value, digits):
    """A number with so many digits after its point, or its comma."""
    return ("%.*f" % (digits, value)).replace(".", text.language().decimal_mark)


def rate(bits_per_s):
    return _largest(_RATES, bits_per_s)


def size(count):
    """Bytes, in the decimal units that sellers of connections and storage use."""
    return _largest(_SIZES, count) if count >= 1000 else counted(count, *_BYTES)


def _largest(units, value):
    for unit, digits, form in units:
        if value >= unit:
            return _(form) % number(value / (unit or 1), digits)
    return ""


def span(seconds):
    """The two largest units of a duration: "2 days 4 hours"."""
    found = []
    for index, (unit, texts, _texts) in enumerate(_SPANS):
        if seconds >= unit or (unit == 1 and not found):
            found.append(counted(seconds // unit, *texts))
            rest = seconds % unit
            if index + 1 < len(_SPANS) and rest >= _SPANS[index + 1][0] and unit > 60:
                found.append(counted(rest // _SPANS[index + 1][0], *_SPANS[index + 1][1]))
            return " ".join(found)
    return ""


def ago(seconds):
    if seconds < 5:
        return _("just now")
    for unit, _texts, texts in _SPANS:
        if seconds >= unit:
            return counted(int(seconds) // unit, *texts)
    return _("just now")


def percent(part, whole):
    return 100 * part // whole if whole else 0


def grouped(digits, count):
    """ "482913" -> "482 913": people read and compare in groups."""
    return " ".join([digits[i : i + count] for i in range(0, len(digits), count)])


def moment(unix_s):
    """An exact time: "21 Nov 2026, 17:20 UTC"."""
    year, month, day, hour, minute = time.gmtime(int(unix_s))[:5]
    name, at = _(_MONTHS).split()[month - 1], "%02d:%02d" % (hour, minute)
    # No line ends inside of it but after the comma.
    told = _("{day} {month} {year}, {time} UTC").replace(" ", "\u00a0").replace(",\u00a0", ", ")
    return told.format(day=day, month=name, year=year, time=at)
