"""The console after provisioning: a line of text in, a few lines of text out. Without I/O.

There is no path from here to code: this module knows the words of COMMANDS. Control characters that open
a REPL on a blank router are answered with the refusal, once per piece of input, and a piece gets a few
commands done at most, so that a flood is never amplified.
"""

from collections import namedtuple

from gatelodge.contract.stages import LOCKED_SENTENCE

LINE_LIMIT = 64  # characters; every command and every serial number is shorter
HIDDEN_LIMIT = 512  # bytes: a password has 128 characters, of up to four bytes of UTF-8
COMMANDS_PER_PIECE = 4  # what more there is in the piece is dropped: nobody types so fast
PROMPT = "> "
NOTHING_DONE = "Nothing was changed."

_INTERRUPT, _RETURN, _NEWLINE, _BACKSPACE, _DELETE = 3, 13, 10, 8, 127
_REFUSED = (1, 2, 4, 5)  # Ctrl-A, -B, -D, -E: raw REPL, friendly REPL, soft reset, paste mode

# purpose: what the word is for. question: what is asked before it is done, or None. is_hidden: whether the
# answer is typed unseen.
Command = namedtuple("Command", "purpose question is_hidden")


class LockedConsole:
    """status: called for (name, value) pairs, all text that any holder of the cable may read.

    actions: {word of COMMANDS: callable(), or callable(answer) where something is asked}; each returns the
    lines to say. A word without an action does not exist.
    """

    def __init__(self, status, actions=None):
        self._status = status
        self._actions = {"help": self._help_lines, "status": self._status_lines}
        self._actions.update(actions or {})
        self._line = b""
        self._asking = None  # the word whose question waits for its answer
        self._last_was_return = False
        self._out = []
        self._refused = False
        self._left = 0

    @property
    def is_asking(self):
        return self._asking is not None

    def start(self):
        """Return the greeting."""
        return (LOCKED_SENTENCE + "\r\n" + PROMPT).encode()

    def received(self, data):
        """Take bytes in any cut; return the bytes to answer."""
        self._out = []
        self._refused = False
        self._left = COMMANDS_PER_PIECE
        for byte in data:
            if not self._left:
                break
            self._take(byte)
        return "".join(self._out).encode()

    def _take(self, byte):
        end_of_line = byte == _RETURN or (byte == _NEWLINE and not self._last_was_return)
        self._last_was_return = byte == _RETURN
        if end_of_line:
            self._end_line()
        elif byte in _REFUSED:
            self._refuse()
        elif byte == _INTERRUPT:
            self._interrupt()
        elif byte in (_BACKSPACE, _DELETE):
            self._erase()
        else:
            self._type(byte)

    def _type(self, byte):
        is_hidden = self.is_asking and COMMANDS[self._asking].is_hidden
        if byte < 32 or len(self._line) >= (HIDDEN_LIMIT if is_hidden else LINE_LIMIT):
            return
        if is_hidden:
            self._line += bytes([byte])
        elif byte < 127:
            self._line += bytes([byte])
            self._out.append(chr(byte))

    def _end_line(self):
        line, self._line = self._line, b""
        if self.is_asking:
            self._answer(line)
        elif not line.strip():
            self._prompt_once()
        else:
            self._command(line.strip().decode().lower())

    def _command(self, word):
        if word not in self._actions:
            self._refuse()
            return
        self._left -= 1
        question = COMMANDS[word].question
        if question is None:
            self._say(self._actions[word]())
        else:
            self._asking = word
            self._out.append("\r\n" + question)

    def _answer(self, line):
        word, self._asking = self._asking, None
        self._left -= 1
        try:
            text = line.decode()
        except UnicodeError:
            text = ""  # no password and no serial number
        self._say(self._actions[word](text) if text.strip() else [NOTHING_DONE])

    def _interrupt(self):
        self._line = b""
        if self.is_asking:
            self._asking = None
            self._say([NOTHING_DONE])

    def _say(self, lines):
        self._out.append("\r\n" + "".join([line + "\r\n" for line in lines]) + PROMPT)

    def _prompt_once(self):
        # A host that knocks with empty lines gets one prompt for each piece, not for each line.
        prompt = "\r\n" + PROMPT
        if prompt not in self._out:
            self._out.append(prompt)

    def _refuse(self):
        self._line = b""
        self._asking = None
        if not self._refused:
            self._out.append("\r\n" + LOCKED_SENTENCE + "\r\n" + PROMPT)
        self._refused = True

    def _erase(self):
        if not self._line:
            return
        self._line = self._line[:-1]
        if not (self.is_asking and COMMANDS[self._asking].is_hidden):
            self._out.append("\b \b")

    def _help_lines(self):
        return ["%-8s%s" % (word, COMMANDS[word].purpose) for word in sorted(self._actions)]

    def _status_lines(self):
        return ["%s: %s" % pair for pair in self._status()]


# This is all that a locked console can do.
COMMANDS = {
    "help": Command("list the commands", None, False),
    "status": Command("say which router this is and how it is", None, False),
    "unlock": Command("give everybody one more try to sign in, for five minutes", None, False),
    "recover": Command("make ten new recovery codes; asks for the password", "Password: ", True),
    "reset": Command(
        "make the router nobody's: erase the password, the authenticators and the registration",
        "Everything of the owner is erased. Type the serial number to go on: ",
        False,
    ),
    "restart": Command("restart the router", None, False),
}
