"""Numbers and times as people read them."""

import time

from gatelodge.text import _

_RATES = ((1000000000, "%.1f Gbit/s"), (1000000, "%.1f Mbit/s"), (1000, "%.0f kbit/s"))
_SIZES = ((1000000000, "%.1f GB"), (1000000, "%.1f MB"), (1000, "%.0f KB"))
_SPANS = (
    (86400, _("1 day"), _("%d days")),
    (3600, _("1 hour"), _("%d hours")),
    (60, _("1 minute"), _("%d minutes")),
    (1, _("1 second"), _("%d seconds")),
)


_MONTHS = _("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()


def rate(bits_per_s):
    return _largest(_RATES, bits_per_s, "%d bit/s")


def size(count):
    """Bytes, in the decimal units that sellers of connections and storage use."""
    return _largest(_SIZES, count, _("%d bytes"))


def _largest(units, value, smallest):
    for unit, form in units:
        if value >= unit:
            return form % (value / unit)
    return smallest % value


def span(seconds):
    """The two largest units of a duration: "2 days 4 hours"."""
    found = []
    for index, (unit, _one, _many) in enumerate(_SPANS):
        if seconds >= unit or (unit == 1 and not found):
            found.append(_count(index, seconds // unit))
            rest = seconds % unit
            if index + 1 < len(_SPANS) and rest >= _SPANS[index + 1][0] and unit > 60:
                found.append(_count(index + 1, rest // _SPANS[index + 1][0]))
            return " ".join(found)
    return ""


def _count(index, count):
    _unit, one, many = _SPANS[index]
    return counted(count, one, many)


def counted(count, one, many):
    """ "1 device", "3 devices": many holds a %d."""
    return one if count == 1 else many % count


def ago(seconds):
    if seconds < 5:
        return _("just now")
    for index, (unit, _one, _many) in enumerate(_SPANS):
        if seconds >= unit:
            return _("%s ago") % _count(index, int(seconds) // unit)
    return _("just now")


def percent(part, whole):
    return 100 * part // whole if whole else 0


def grouped(text, count):
    """ "482913" -> "482 913": people read and compare in groups."""
    return " ".join([text[i : i + count] for i in range(0, len(text), count)])


def moment(unix_s):
    """An exact time: "21 Nov 2026, 17:20 UTC"."""
    year, month, day, hour, minute = time.gmtime(int(unix_s))[:5]
    return "%d\u00a0%s\u00a0%d, %02d:%02d\u00a0UTC" % (day, _MONTHS[month - 1], year, hour, minute)
