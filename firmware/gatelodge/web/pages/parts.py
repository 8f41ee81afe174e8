"""What several pages are made of: the headline, cards, lists of facts, tables and the chart.

`now` is what a view says (view.View.now); each part is in its place for the live updates that follow.
"""

from gatelodge import compat
from gatelodge.text import _
from gatelodge.web import view
from gatelodge.web.html import escape, fill

_LIVE = '<div data-live-page="{name}" data-run="{run}">{body!}</div>'

_HEADLINE = """<section class="headline" data-live-state="{key}" data-state="{state}">
<svg class="sign" viewBox="0 0 32 32" width="48" height="48" aria-hidden="true"><circle cx="16" cy="16"
r="13"/>
<path class="when-works" d="m10 16.5 4.2 4.2L22.5 12"/><path class="when-waiting" d="M16 9v7l4.5 3"/>
<path class="when-trouble" d="M16 9v8.5M16 22.4v.2"/></svg>
<div aria-live="polite"><h1>{title!}</h1><p>{detail!}</p></div>{beside!}</section>
"""

_CLAIM = """<section class="card claim" data-live-state="claim" data-state="{state}" data-live-html="claim"
aria-live="assertive">
{claim!}</section>
"""

_CHART = """<section class="card wide" data-live-state="traffic" data-state="{state}"><h2>{title}</h2>
<figure class="chart" data-chart data-per-s="{units}" data-down="{down}" data-up="{up}" data-now="{now}"
 data-minutes="{minutes}"><div class="skeleton tall"></div></figure>
<p class="lasts"><span class="series-1">{down} {received!}</span><span class="series-2">{up}
{sent!}</span></p>{failed!}</section>
"""

_CARD = """<section class="card{wide}" data-live-state="{key}"
data-state="{state}"><h2>{title}</h2>{body!}{failed!}</section>
"""

_TABLE = """<section class="card{wide}" data-live-state="{key}" data-state="{state}"><h2>{title}</h2>
<table><thead><tr>{heads!}</tr></thead><tbody
data-live-html="{key}">{rows!}</tbody></table>{after!}{failed!}</section>
"""


def live_page(site, name, body):
    """The body of a page whose values are sent as they change. name: of its view in site.views."""
    return fill(_LIVE, name=name, run=site.run_id, body=body)


def headline(now, key, beside=""):
    """The page's largest fact, with its sign. beside: markup on its right where there is room."""
    return fill(
        _HEADLINE,
        key=key,
        state=now["state"][key],
        title=view.shown(now, key + ".title", _("Not known right now")),
        detail=view.shown(now, key + ".detail", _("It could not be read. It is tried every two seconds.")),
        beside=beside,
    )


def claim(now):
    return fill(_CLAIM, state=now["state"]["claim"], claim=view.filled(now, "claim"))


def chart(now):
    return fill(
        _CHART,
        state=now["state"]["traffic"],
        title=_("Internet traffic, last 10 minutes"),
        units=_("bit/s,kbit/s,Mbit/s,Gbit/s"),
        down=_("In"),
        up=_("Out"),
        now=_("now"),
        minutes=_("%d min"),
        received=view.shown(now, "traffic.received"),
        sent=view.shown(now, "traffic.sent"),
        failed=failed(),
    )


def card(now, key, title, body, wide=""):
    """wide: " wide" for the whole width."""
    state = now["state"].get(key, "works")
    return fill(_CARD, wide=wide, key=key, state=state, title=title, body=body, failed=failed())


def table(now, key, title, heads, wide="", after=""):
    """heads: marked texts. The rows are the view's markup of the same key. after: markup below them."""
    cells = "".join(["<th scope=col>" + escape(_(head)) + "</th>" for head in heads])
    return fill(
        _TABLE,
        wide=wide,
        key=key,
        state=now["state"][key],
        title=title,
        heads=cells,
        rows=view.filled(now, key),
        after=after,
        failed=failed(),
    )


def failed():
    text = _("This part could not be read. It is tried again every two seconds.")
    return fill('<p class="failed note" data-state="trouble">{text}</p>', text=text)


def facts(rows):
    """A list of names and values; the values are markup."""
    row = "<div><dt>{name}</dt><dd>{value!}</dd></div>"
    return (
        '<dl class="facts">' + "".join([fill(row, name=name, value=value) for name, value in rows]) + "</dl>"
    )


def meter(now, key, label):
    """How full something is: its text and a bar, whose percent is the live text of key.percent."""
    percent = now["text"].get(key + ".percent", "0")
    return view.shown(now, key) + fill(
        '<meter min="0" max="100" low="80" high="92" optimum="20" value="{percent}" '
        'data-live="{key}.percent" aria-label="{label}"></meter>',
        percent=percent,
        key=key,
        label=label,
    )


def live_facts(now, rows):
    """The same from (marked name, key of a live text) pairs."""
    return facts([(_(name), view.shown(now, key)) for name, key in rows])


def qr_drawing(text):
    """{view_box, path} of the text as a QR code, for one SVG path; None where it is too long for one."""
    from gatelodge.core import qr  # 10 KB of the heap, for one picture

    data = text.encode()
    try:
        if len(data) > qr.MOST_BYTES:
            return None
        modules = qr.encode(data)
        return {"view_box": qr.view_box(modules), "path": qr.to_svg_path(modules)}
    finally:
        compat.unload((qr.__name__,))
