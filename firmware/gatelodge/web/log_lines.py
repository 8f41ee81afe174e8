"""Lines of the log (log.py) as the system page shows them: chosen by level and by what they hold."""

LEVELS = ("debug", "info", "warning", "error")  # from the least on


def parts(line):
    """(time, level, the rest) of "2026-11-21T17:20:00Z info link: hello"; ("", "", line) of what is none."""
    words = line.split(" ", 2)
    if len(words) < 3 or words[1] not in LEVELS:
        return "", "", line
    return words[0].replace("T", " ").replace("Z", ""), words[1], words[2]


def matching(lines, least, text):
    """Those of at least this level that hold the text, in any case. An unknown level means every one."""
    wanted = LEVELS[LEVELS.index(least) :] if least in LEVELS else LEVELS + ("",)
    text = text.lower()
    return [line for line in lines if parts(line)[1] in wanted and text in line.lower()]


def newest(lines, most_bytes):
    """The last lines that fit into so many bytes of UTF-8, each with its end of line."""
    left, first = most_bytes, len(lines)
    while first and left >= len(lines[first - 1].encode()) + 1:
        first -= 1
        left -= len(lines[first].encode()) + 1
    return lines[first:]
