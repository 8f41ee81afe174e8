"""Markup from text. Everything that came from outside this file's callers goes through `escape`."""


def escape(text):
    """Text as it may stand in an element or in a quoted attribute."""
    text = str(text)
    for plain, entity in _ENTITIES:
        if plain in text:
            text = text.replace(plain, entity)
    return text


_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;"))


def fill(template, **values):
    """The template with each {name} replaced by its value, escaped; {name!} is taken as markup.

    A missing name is a KeyError, so a template and its handler cannot drift apart unseen."""
    parts = template.split("{")
    out = [parts[0]]
    for part in parts[1:]:
        name, rest = part.split("}", 1)
        out.append(str(values[name[:-1]]) if name.endswith("!") else escape(values[name]))
        out.append(rest)
    return "".join(out)
