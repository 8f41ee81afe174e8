"""The choice of a language, at the foot of every page: a form that needs no script, and leads back."""

from gatelodge import text
from gatelodge.contract import languages
from gatelodge.text import _
from gatelodge.web import guard, language, reply
from gatelodge.web.html import fill
from gatelodge.web.routes import ANYONE, post

_MENU = """<footer class="languages"><details><summary><svg class="icon" viewBox="0 0 16 16" width="20"
height="20" aria-hidden="true"><path d="M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M2 8h12M8 2c4 4 4 8 0
12M8 2c-4 4-4 8 0 12"/></svg>{title}: {name}</summary><form method="post">{choices!}</form></details></footer>
"""
_CHOICE = '<button formaction="{path}" lang="{tag}"{current!}>{name}</button>'


class LanguagePages:
    def __init__(self, site):
        self._site = site

    def rows(self):
        """A path for each: a form without fields has no body that would have to be read."""
        return [post(_path(tag), ANYONE, self._choosing(tag)) for tag in sorted(languages.BY_TAG)]

    def _choosing(self, tag):
        cookie = guard.cookie(language.COOKIE, tag, language.LASTS_S)

        def choose(visit, _values):
            return reply.see_other(_back(visit.request), [cookie])

        return choose


def menu():
    """Markup. Every language is called by its own name."""
    spoken = text.language()
    choices = [_choice(row, row is spoken) for row in text.available()]
    return fill(_MENU, title=_("Language"), name=spoken.name, choices="".join(choices))


def _choice(row, is_spoken):
    current = ' aria-current="true"' if is_spoken else ""
    return fill(_CHOICE, path=_path(row.tag), tag=row.tag, name=row.name, current=current)


def _path(tag):
    return "/language/" + tag


def _back(request):
    """The path of the page that the form was on, as the browser tells; never another host's."""
    _, _, rest = (request.headers.get("Referer") or "").partition("://")
    host, slash, path = rest.partition("/")
    is_ours = slash and host == request.headers.get("Host")
    # Browsers take two slashes, or a backslash, for the beginning of another host, and leave tabs out.
    return slash + path if is_ours and path[:1] not in ("/", "\\", "\t") else "/"
