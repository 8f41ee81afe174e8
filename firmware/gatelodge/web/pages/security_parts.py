"""What the cards of the security page are made of: rows with a button, forms of one button, times."""

from gatelodge.text import _
from gatelodge.web import words
from gatelodge.web.html import escape, fill
from gatelodge.web.pages.shell import form_error

_HINT = '<p class="hint">{text}</p>'
_OPEN = '<button data-open="{dialog}">{text}</button>'
_SEND = """<form data-post="/api/security/{path}"{then!}>{hidden!}<button
class="{kind}"{label!}>{text}</button>{error!}</form>"""
_HIDDEN = '<input type="hidden" name="id" value="{id}">'
_ROWS = '<ul class="rows">{rows!}</ul>'
_ROW = """<li><div><strong>{name}</strong>{mark!}<span class="quiet">{detail!}</span></div>{button!}</li>"""
_MARK = ' <span class="mark">{text}</span>'
_TIME = '<time title="{moment}">{ago}</time>'


def hint(text):
    return fill(_HINT, text=text)


def list_of(lines):
    """A list of what `line` has drawn."""
    return fill(_ROWS, rows="".join(lines))


def line(name, detail, button="", mark=""):
    """detail, button: markup. mark: a word beside the name."""
    return fill(_ROW, name=name, mark=fill(_MARK, text=mark) if mark else "", detail=detail, button=button)


def opening(dialog, text):
    return fill(_OPEN, dialog=dialog, text=text)


def send(path, text, row_id="", label="", then="", is_primary=False):
    """A form with one button. label: what it says to who cannot see its row."""
    kind = "primary" if is_primary else "quiet" if row_id else ""
    return fill(
        _SEND,
        path=path,
        then=' data-then="' + then + '"' if then else "",
        hidden=fill(_HIDDEN, id=row_id) if row_id else "",
        kind=kind,
        label=' aria-label="' + escape(label) + '"' if label else "",
        text=text,
        error=form_error(),
    )


def time_told(clock, unix_s):
    """Markup of a moment: relative near now, with the exact time at hand."""
    if unix_s is None:
        return escape(_("at an unknown time"))
    moment = words.moment(unix_s)
    ago = words.ago(max(0, clock.now() - unix_s)) if clock.is_set else moment
    return fill(_TIME, moment=moment, ago=ago)
