"""Runs what the raw REPL received, in a namespace of its own, and survives Ctrl-C.

On the unix port a Ctrl-C does not wait for the end of a bytecode: KeyboardInterrupt is thrown
from the signal handler, wherever the interpreter stands. So it is heard only while such code runs, and
whoever catches one first has the others ignored; one more may come before that is done, so `run` is
guarded more than once. What has been interrupted may be torn for good:

- A garbage collection, which then never ends: the heap stays half marked, and locked. Before MicroPython 1.25
  that lock is one that Python can see, and open. `run` does so, forbids further collections, and answers
  `must_restart`, for only a new process is sound. From 1.25 on nothing opens it, and there is no memory even
  to say so: the console ends the process there and then (`compat.end_where_heap_is_locked`).
- A look-up in the table of names, whose lock stays closed: the next one waits for ever. An alarm is set for
  as long as code runs, a short one after an interrupt; `prove_sound` makes a look-up and takes it back.

However the process ends, init starts another.
"""

import gc
import io
import os
import sys
from collections import namedtuple

from gatelodge import compat

if compat.MICROPYTHON:
    import micropython
    import vfs
else:
    micropython = None  # CPython delivers interrupts between bytecodes, its heap is never torn

SOUND_S = 5  # for a look-up, on a busy computer
RUN_S = 3600  # for code: four times what the longest bundle takes at 9600 baud

# error: a traceback or "". reset: the code asked for a soft reset. must_restart: the process is not sound.
Outcome = namedtuple("Outcome", "error reset must_restart")

INTERRUPTED = Outcome("Traceback (most recent call last):\nKeyboardInterrupt: \n", False, False)

# A line damages the names in code as it damages anything.
NOT_UTF8 = "Traceback (most recent call last):\nUnicodeError: the error's own text is not UTF-8\n"


class Runner:
    """`names` is what every fresh namespace holds, e.g. {"bench": bench}. `quiet` ends the interrupts."""

    def __init__(self, names, quiet=lambda: None):
        self._names = names
        self._quiet = quiet
        self._path = list(sys.path)
        self._folder = os.getcwd()
        self._modules = set(sys.modules)
        self.reset()

    def reset(self):
        """Forget every name that code has made, what it has mounted and imported, and where it looked."""
        _unmount()
        os.chdir(self._folder)
        sys.path.clear()
        sys.path.extend(self._path)
        sys.path.append("")  # the current folder, as on a board; behind the router's own modules
        self._forget_modules()
        self._namespace = {"__name__": "__main__"}
        self._namespace.update(self._names)
        gc.collect()

    def run(self, source, kind):
        """Compile and execute bytes; `kind` is "exec" or "single". Return the Outcome.

        Interrupts are ignored then. KeyboardInterrupt when one more comes in the moment before that.
        """
        try:
            outcome = self._run(source, kind)
        except BaseException:  # another interrupt, or what a torn heap makes of telling the first
            compat.ignore_interrupts()
            outcome = INTERRUPTED
        if _unlock_heap():
            gc.disable()
            outcome = Outcome(outcome.error, outcome.reset, True)
        return outcome

    def prove_sound(self):
        """Return, or end this process. To be called when no interrupt can come any more."""
        compat.set_alarm(SOUND_S)
        try:
            compile("name", "", "eval")
        except MemoryError:
            pass  # all of it is taken, by what the code keeps; but it has come past the lock of the names
        finally:
            compat.set_alarm(0)

    def _forget_modules(self):
        """The firmware's own stay, late ones too: a second copy of one has other classes of errors."""
        for name in list(sys.modules):
            if name not in self._modules and not name.startswith("gatelodge"):
                del sys.modules[name]

    def _run(self, source, kind):
        try:
            exec(compile(source, "<stdin>", kind), self._namespace)
            compat.ignore_interrupts()
        except SystemExit:
            compat.ignore_interrupts()
            return Outcome("", True, False)
        except BaseException as error:
            compat.ignore_interrupts()  # before anything that needs memory or a name
            compat.set_alarm(SOUND_S)  # telling of the error may wait for the lock, too
            torn = _unlock_heap()
            if torn:
                gc.disable()
            self._quiet()  # the next process may start on the line as this one leaves it
            return Outcome(_traceback(error), False, torn)
        return Outcome("", False, False)


def _unmount():
    """Leave the root, as a board does: mpremote mounts its folder and relies on the reset."""
    if micropython is None:
        return
    try:
        mounted = vfs.mount()
    except TypeError:
        return  # MicroPython before 1.25 does not tell
    for _, path in mounted:
        if path != "/":
            vfs.umount(path)


def _unlock_heap():
    """Return whether the heap was left locked, and unlock it."""
    if micropython is None:
        return False
    micropython.heap_lock()
    torn = False
    while micropython.heap_unlock():
        torn = True
    return torn


def _traceback(error):
    file = io.StringIO()
    compat.print_exception(error, file)
    try:
        text = file.getvalue()
    except UnicodeError:
        return NOT_UTF8
    lines = text.split("\n")
    if len(lines) > 1 and lines[1].startswith("  File"):
        lines.pop(1)  # our own frame, the outermost; a board has none
    return "\n".join(lines)
