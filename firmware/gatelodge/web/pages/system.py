"""System: since when it runs, its time, its storage, its log, and how it goes down.

Its name and its backups are system_backup.py's, its firmware system_update.py's."""

from gatelodge import log
from gatelodge.text import N_, P_, _
from gatelodge.web import log_lines, reply, view, words
from gatelodge.web.html import escape, fill
from gatelodge.web.message import PiecesResponse
from gatelodge.web.pages import system_backup, system_update
from gatelodge.web.pages.parts import card, facts, headline, live_facts, live_page, meter
from gatelodge.web.routes import OWNER, api, get, post

# Of the log on the page, which has 15 KB in all, in every language: what is said of the rest leaves more or
# less room for it. The file has more.
MOST_SHOWN = 32  # lines
CARDS_BYTES = 7600  # of all cards
LONGEST_SHOWN = 240  # characters of a line
LINES_AT_ONCE = 16  # of the file, as it is sent
LONGEST_FIND = 64

# What the filter calls them -> the least level.
LEVELS = (("debug", N_("Every line")), ("warning", N_("Warnings and errors")), ("error", N_("Errors")))

_LOG = """<section class="card wide" id="log"><h2>{title}</h2>
<form class="filter" method="get" action="/system#log">
<div class="field"><label for="level">{level}</label><select id="level" name="level">{levels!}</select></div>
<div class="field"><label for="find">{holds}</label><input id="find" name="find" type="search" value="{find}"
maxlength="{longest}" autocomplete="off"></div>
<div class="row"><button>{show}</button><button formaction="/system/log.txt">{save}</button></div></form>
<p class="hint" role="status">{count}</p>{lines!}</section>
"""
_OPTION = '<option value="{value}"{selected!}>{name}</option>'
_LINE = '<li data-level="{level}"><time>{at}</time> <b>{level}</b> {text}</li>'

_DOWN = """<section class="card wide"><h2>{title}</h2><ul class="acts">{acts!}</ul></section>
"""
_ACT = """<li><div><h3>{title}</h3><p class="hint">{what}</p></div>
<form data-post="{path}"><button>{go}</button><p class="error" data-error="form" role="alert"></p></form></li>
"""
# What cannot be undone takes two steps: the second names the loss.
_LOSS = """<li><details><summary>{title}</summary><p>{what}</p>
<form data-post="{path}"><button class="danger">{go}</button>
<p class="error" data-error="form" role="alert"></p></form></details></li>
"""

# (template, path, title, what follows, button)
ACTS = (
    (
        _ACT,
        "/api/system/restart",
        N_("Restart"),
        N_("Takes about a minute. Until then there is no internet, and everybody has to sign in again."),
        N_("Restart router"),
    ),
    (
        _LOSS,
        "/api/system/power-off",
        N_("Power off"),
        N_("The router stays off, and the home without internet, until somebody unplugs it and plugs it in."),
        N_("Power off router"),
    ),
    (
        _LOSS,
        "/api/system/reset",
        N_("Factory reset"),
        N_(
            "This erases the password, every authenticator, the recovery codes, trusted browsers, the "
            "history and the registration in a cloud account. It cannot be undone. Afterwards whoever has "
            "the label's service code can set this router up."
        ),
        N_("Erase everything and reset"),
    ),
)


def down(path, handler, summary, scope=None):
    return post("/api/system/" + path, OWNER, handler, proof=True, about=api(summary, scope=scope))


class SystemPages:
    def __init__(self, site):
        self._site = site
        sections = (("system", _system), ("clock", _clock), ("router", view.View.router))
        self._view = site.views["system"] = view.View(site, sections)
        self._update = system_update.UpdatePages(site)
        self._backup = system_backup.BackupPages(site, self._update)

    def rows(self):
        return [
            get("/system", OWNER, self.page),
            get("/system/log.txt", OWNER, self.log_file),
            down("restart", self.restart, "Restart the router", "router:restart"),
            down("power-off", self.power_off, "Switch the router off"),
            down("reset", self.reset, "Make the router nobody's"),
        ] + self._backup.rows() + self._update.rows()

    def page(self, visit, values):
        now = self._view.now()
        now["text"].setdefault("system.title", _("System"))  # where the uptime cannot be read
        before = _time(now) + _room(now) + self._update.card(now) + self._backup.cards(now)
        after = _acts()
        room = CARDS_BYTES - len(before.encode()) - len(after.encode())
        cards = before + _log(room, *_asked(values)) + after
        body = headline(now, "system") + '<div class="cards">' + cards + "</div>"
        body = live_page(self._site, "system", body) + system_backup.DIALOGS
        return reply.page(self._site.shell.signed_in("/system", _("System"), body, visit.session))

    def log_file(self, _visit, values):
        """The log as a text file, the oldest line first. It holds no secrets (log.py)."""
        found = log_lines.matching(log.lines(), *_asked(values))
        serial_number = self._site.identity.get("serial_number", "")
        lines = [_("Log of router %s, firmware %s.") % (serial_number, self._site.version)]
        lines += found
        length = sum([len(line.encode()) + 1 for line in lines])
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Disposition": 'attachment; filename="gatelodge-log.txt"',
            "Cache-Control": "no-store",
        }
        return PiecesResponse(_in_pieces(lines), length, headers)

    # How it goes down. Each asks for a code first, unless one was given a moment ago.

    def restart(self, visit, _values):
        return self._down(visit, self._site.power.restart, _("The router restarts."))

    def power_off(self, visit, _values):
        text = _("The router switches off. To start it again, unplug it and plug it in.")
        return self._down(visit, self._site.power.power_off, text)

    def reset(self, visit, _values):
        text = _("This router has no owner any more. It starts again, to be set up with its label.")
        return self._down(visit, self._site.power.reset, text)

    def _down(self, visit, act, text):
        act(visit.by)
        return reply.data({"say": text, "down": True})


def _asked(values):
    """(least level, text to find) of a query."""
    return values.get("level") or "debug", (values.get("find") or "")[:LONGEST_FIND]


# What lives


def _system(shown):
    running = _("Running for %s") % words.span(shown.site.router.facts()["uptime_s"])
    if not shown.site.clock.is_set:
        return view.told("system", running, _("The time is not known yet."), "waiting")
    return view.told("system", running, _("Firmware %s.") % shown.site.version, "works")


def _clock(shown):
    clock = shown.site.clock
    if not clock.is_set:
        waiting = _("Not known. A router has no battery for its clock: it waits for network time.")
        return {"clock.now": waiting, "clock.source": _("Nobody yet")}, "waiting", None
    source = _(view.TIME_SOURCES.get(clock.source, view.UNKNOWN))
    return {"clock.now": words.moment(clock.now()), "clock.source": source}, "works", None


# Cards


def _time(now):
    rows = ((N_("Now"), "clock.now"), (N_("Source"), "clock.source"))
    return card(now, "clock", _("Time"), live_facts(now, rows))


def _in_pieces(lines):
    for first in range(0, len(lines), LINES_AT_ONCE):
        yield ("\n".join(lines[first : first + LINES_AT_ONCE]) + "\n").encode()


def _room(now):
    rows = (
        (_("Storage in use"), meter(now, "router.storage", _("Storage in use"))),
        (_("Memory in use"), meter(now, "router.memory", _("Memory in use"))),
        (_("Load, 1 5 15 min"), view.shown(now, "router.load")),
    )
    return card(now, "router", _("Storage and memory"), facts(rows))


def _log(room, least, find):
    found = log_lines.matching(log.lines(), least, find)
    shown = log_lines.newest([_line(_cut(line)) for line in found[-MOST_SHOWN:]], room)
    return fill(
        _LOG,
        title=_("Log"),
        level=_("Show"),
        levels="".join([_option(value, _(name), least) for value, name in LEVELS]),
        holds=_("With the words"),
        find=find,
        longest=LONGEST_FIND,
        show=_("Filter"),
        save=_("Download as a file"),
        count=_count(len(shown), len(found)),
        lines=_lines(shown),
    )


def _option(value, name, chosen):
    return fill(_OPTION, value=value, selected=" selected" if value == chosen else "", name=name)


def _cut(line):
    return line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN] + "…"


def _count(shown, found):
    if not found:
        return _("No line matches. Show every line, or look for other words.")
    if found > shown:
        return _("The newest %d of %d lines. The file has all of them.") % (shown, found)
    return words.counted(found, *_LINES)


_LINES = P_("%d line, the newest first.", "%d lines, the newest first.")


def _lines(shown):
    if not shown:
        return ""
    rows = "".join(reversed(shown))
    return '<ol class="log" tabindex="0" aria-label="' + escape(_("Log")) + '">' + rows + "</ol>"


def _line(line):
    at, level, text = log_lines.parts(line)
    return fill(_LINE, at=at, level=level, text=text)


def _acts():
    acts = [
        fill(template, path=path, title=_(title), what=_(what), go=_(go))
        for template, path, title, what, go in ACTS
    ]
    return fill(_DOWN, title=_("Restart, switch off, reset"), acts="".join(acts))
