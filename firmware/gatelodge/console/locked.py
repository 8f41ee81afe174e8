"""The console after provisioning: a line of text in, a few lines of text out. Without I/O.

There is no path from here to code: this module knows two words. Control characters that open
a REPL on a blank router are answered with the refusal, once per piece of input, so that a flood is
never amplified.
"""

from gatelodge.contract.provisioning import LOCKED_SENTENCE

LINE_LIMIT = 64  # characters; both commands are shorter
PROMPT = "> "

_RETURN, _NEWLINE, _BACKSPACE, _DELETE = 13, 10, 8, 127
_REFUSED = (1, 2, 4, 5)  # Ctrl-A, -B, -D, -E: raw REPL, friendly REPL, soft reset, paste mode


class LockedConsole:
    """`status` is called for (name, value) pairs, all text that any holder of the cable may read."""

    def __init__(self, status):
        self._status = status
        self._line = ""
        self._last_was_return = False
        self._out = []
        self._refused = False

    def start(self):
        """Return the greeting."""
        return (LOCKED_SENTENCE + "\r\n" + PROMPT).encode()

    def received(self, data):
        """Take bytes in any cut; return the bytes to answer."""
        self._out = []
        self._refused = False
        for byte in data:
            self._take(byte)
        return "".join(self._out).encode()

    def _take(self, byte):
        end_of_line = byte == _RETURN or (byte == _NEWLINE and not self._last_was_return)
        self._last_was_return = byte == _RETURN
        if end_of_line:
            self._run()
        elif byte in _REFUSED:
            self._refuse()
        elif byte == 3:
            self._line = ""
        elif byte in (_BACKSPACE, _DELETE):
            self._erase()
        elif 32 <= byte < 127 and len(self._line) < LINE_LIMIT:
            self._line += chr(byte)
            self._out.append(chr(byte))

    def _run(self):
        line = self._line.strip()
        self._line = ""
        if not line:
            self._prompt_once()
            return
        command = COMMANDS.get(line.lower())
        if command is None:
            self._refuse()
        else:
            self._out.append("\r\n")
            command[0](self)
            self._out.append(PROMPT)

    def _prompt_once(self):
        # A host that knocks with empty lines gets one prompt for each piece, not for each line.
        prompt = "\r\n" + PROMPT
        if prompt not in self._out:
            self._out.append(prompt)

    def _refuse(self):
        self._line = ""
        if not self._refused:
            self._out.append("\r\n" + LOCKED_SENTENCE + "\r\n" + PROMPT)
        self._refused = True

    def _erase(self):
        if self._line:
            self._line = self._line[:-1]
            self._out.append("\b \b")

    def _say_help(self):
        for name in sorted(COMMANDS):
            self._out.append("%-8s%s\r\n" % (name, COMMANDS[name][1]))

    def _say_status(self):
        for name, value in self._status():
            self._out.append("%s: %s\r\n" % (name, value))


# The word -> (what it does, what it is for). This is all that a locked console can do.
COMMANDS = {
    "help": (LockedConsole._say_help, "list the commands"),
    "status": (LockedConsole._say_status, "say which router this is and how it is"),
}
