"""A short name for a browser, for the owner to recognise: "Firefox on Linux".

User-Agent (RFC 9110 section 10.1.5) is what the browser claims, and each claims to be its ancestors too: so
the rows are asked in order, descendants first. Nothing is decided by it.
"""

LONGEST_READ = 512  # characters of the field

# what the text contains -> what people call it
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "Python"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def name(user_agent):
    """Return the name, or "" when the field tells nothing that is known."""
    text = (user_agent or "")[:LONGEST_READ]
    found = [_first(_BROWSERS, text), _first(_SYSTEMS, text)]
    return " on ".join([part for part in found if part])


def _first(rows, text):
    for part, known in rows:
        if part in text:
            return known
    return ""
