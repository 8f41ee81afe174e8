"""The frame around every page: head, logo, the rail of pages, and what the script says when the line is
lost."""

from gatelodge.text import N_, _, language
from gatelodge.web import reply
from gatelodge.web.html import escape, fill
from gatelodge.web.pages.languages import menu

# (path, title, icon: the strokes of a 16 x 16 drawing). Six or seven at most: a rail, not a menu.
PAGES = (
    ("/", N_("Overview"), "M2 7.5 8 2.5l6 5M3.5 6.5v7h9v-7M6.5 13.5v-4h3v4"),
    ("/devices", N_("Devices"), "M2.5 3h8v6h-8zM4.5 12h4M11.5 6.5h2.5v6.5h-3.5V6.5z"),
    (
        "/internet",
        N_("Internet"),
        "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M2 8h12M8 2c4 4 4 8 0 12M8 2c-4 4-4 8 0 12",
    ),
    ("/cloud", N_("Cloud"), "M4.5 12.5a3 3 0 0 1-.3-6 4 4 0 0 1 7.7 1 2.5 2.5 0 0 1-.4 5z"),
    (
        "/security",
        N_("Security"),
        "M8 1.8l5 2v4c0 3-2 5.2-5 6.4-3-1.2-5-3.4-5-6.4v-4zM5.8 7.8l1.7 1.7 3-3.2",
    ),
    (
        "/system",
        N_("System"),
        "M3 2.5h10v4H3zM3 9.5h10v4H3zM5.3 4.5h.1M5.3 11.5h.1M9 4.5h2M9 11.5h2",
    ),
    ("/about", N_("About"), "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M8 7.2v4M8 4.8v.1"),
)
_SIGN_OUT = "M6 2.5H2.5v11H6M6.5 8h7M11 5.2 13.8 8 11 10.8"

_FRAME = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title} · Gatelodge</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light
dark">
<link rel="icon" href="data:image/svg+xml,{icon}"><link rel="stylesheet" href="{style}">
<script src="{script}" defer></script></head>
<body class="{kind}" data-csrf="{csrf}">
<a class="skip" href="#main">{skip}</a>
{rail!}<main id="main" tabindex="-1">
<div id="say" class="say" role="status"></div>
<div id="lost" class="lost" role="alert" hidden>{lost}</div>
<noscript><p class="note" data-state="waiting">{noscript}</p></noscript>
{body!}
</main>
{menu!}<template id="words" data-failed="{failed}" data-empty="{empty}"></template>
</body></html>
"""

_RAIL = """<header class="rail"><a class="brand" href="/">{logo!}<span>Gatelodge</span></a>
<nav aria-label="{pages}"><ul>{links!}</ul></nav>
<form class="leave" data-post="/api/sign-out"><button
class="quiet">{icon!}<span>{leave}</span></button></form>
</header>
"""
_PROVE = """<dialog id="prove" aria-labelledby="prove-title">
<form data-post="/api/prove" data-auto="6" novalidate><h2 id="prove-title">{title}</h2>{field!}{error!}
<div class="row"><button class="primary">{go}</button><button type="button" data-close>{cancel}</button></div>
</form></dialog>
"""
# The account's name, there for password managers.
USERNAME = """<input class="unseen" type="text" autocomplete="username" value="owner" readonly
tabindex="-1" aria-hidden="true">
"""
_LINK = '<li><a href="{path}"{current!}>{icon!}<span>{title}</span></a></li>'
_REFUSED = '<div class="card"><h1>{text}</h1><p class="after"><a href="/">{home}</a></p></div>'
_ALONE = '<header class="alone"><span class="brand">{logo!}<span>Gatelodge</span></span></header>\n'


class Shell:
    """assets: Assets. owner: owner.owner.Owner."""

    def __init__(self, assets, owner):
        self._assets = assets
        self._owner = owner
        self._icon = _in_url(assets.logo)
        self._logo = _inline(assets.logo)

    def alone(self, title, body):
        """A page before sign-in: the logo and one thing to do."""
        return self._frame(title, body, "alone", fill(_ALONE, logo=self._logo), "")

    def signed_in(self, path, title, body, session):
        links = "".join([_link(page, path) for page in PAGES])
        rail = fill(
            _RAIL, logo=self._logo, pages=_("Pages"), links=links, icon=icon(_SIGN_OUT), leave=_("Sign out")
        )
        return self._frame(title, body + _prove_dialog(self._owner.proof), "inside", rail, session.csrf_token)

    def refusal_body(self, path, refusal):
        """(content type, bytes) that tell a person, or a script, why a request was refused."""
        if reply.is_for_script(path):
            return reply.refusal_body(path, refusal)
        body = fill(_REFUSED, text=_(refusal.text), home=_("Open the overview"))
        return reply.HTML, self.alone(str(refusal.status), body).encode()

    def _frame(self, title, body, kind, rail, csrf):
        return fill(
            _FRAME,
            lang=language().tag,
            menu=menu(),
            title=title,
            icon=self._icon,
            style=self._assets.path("admin.css"),
            script=self._assets.path("admin.js"),
            kind=kind,
            csrf=csrf,
            skip=_("Skip to the content"),
            rail=rail,
            lost=_("The router does not answer. It may be restarting. This page comes back by itself."),
            noscript=_("This page needs JavaScript. Allow it for this address and load the page again."),
            body=body,
            failed=_("The router did not answer. Check that you are in its network and try again."),
            empty=_("Fill in this field."),
        )


def icon(strokes):
    return (
        '<svg class="icon" viewBox="0 0 16 16" width="20" height="20" aria-hidden="true"><path d="'
        + strokes
        + '"/></svg>'
    )


def field(name, label, hint="", **attributes):
    """A label, an input, its hint and the place of its error, tied together by ids.

    id: where the name is on the page more than once."""
    place = attributes.pop("id", name)
    pairs = "".join(
        [' %s="%s"' % (key.replace("_", "-"), escape(attributes[key])) for key in sorted(attributes)]
    )
    hint_line = fill('<p class="hint" id="{place}-hint">{hint}</p>', place=place, hint=hint) if hint else ""
    described = place + "-error" + (" " + place + "-hint" if hint else "")
    return fill(
        '<div class="field"><label for="{place}">{label}</label>{hint!}'
        '<input id="{place}" name="{name}" aria-describedby="{described}"{pairs!}>'
        '<p class="error" id="{place}-error" role="alert"></p></div>',
        name=name,
        place=place,
        label=label,
        hint=hint_line,
        described=described,
        pairs=pairs,
    )


def code_field(label, hint, name="code", **attributes):
    return field(
        name,
        label,
        hint,
        type="text",
        inputmode="numeric",
        autocomplete="one-time-code",
        pattern="[0-9 ]*",
        maxlength="9",
        required="",
        data_code="",
        **attributes,
    )


def _prove_dialog(proof):
    """Asks for a code before something sensitive; the script then does what was asked."""
    return fill(
        _PROVE,
        title=_("Is it you?"),
        field=_PROOFS[proof](),
        error=form_error(),
        go=_("Continue"),
        cancel=_("Cancel"),
    )


def _proof_by_code():
    return field(
        "proof",
        _("Six-digit code"),
        _("From your authenticator app. A recovery code works too."),
        type="text",
        autocomplete="one-time-code",
        maxlength="16",
        required="",
        data_code="",
    )


def _proof_by_password():
    return USERNAME + field(
        "proof", _("Password"), type="password", autocomplete="current-password", required=""
    )


_PROOFS = {"code": _proof_by_code, "password": _proof_by_password}


def form_error():
    """Where an error goes that belongs to no field."""
    return '<p class="error" data-error="form" role="alert"></p>'


def _link(page, path):
    address, title, strokes = page
    current = ' aria-current="page"' if address == path else ""
    return fill(_LINK, path=address, current=current, icon=icon(strokes), title=_(title))


def _inline(logo):
    """The logo inside a page takes the page's colours: its own style would be refused by the page's
    policy."""
    start, end = logo.find("<style>"), logo.find("</style>")
    if start >= 0:
        logo = logo[:start] + logo[end + 8 :]
    return logo.replace("<svg ", '<svg class="logo" aria-hidden="true" ', 1).replace(
        "<title>Gatelodge</title>", ""
    )


def _in_url(logo):
    """RFC 2397, escaping what a URL may not hold; the page's template escapes the rest."""
    for plain, escaped in (("%", "%25"), ("#", "%23"), ("<", "%3C"), (">", "%3E"), ('"', "'")):
        logo = logo.replace(plain, escaped)
    return logo
