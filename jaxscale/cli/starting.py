"""Ctrl-C and SIGTERM while the command is still being imported: one line and the exit code, no traceback.

This module is what a process of the command runs first, so it imports what Python has loaded by then, and nothing else:
`signal` would take longer than all of it.
"""

import _signal
import _thread
import os
import sys

COMMAND = "jaxscale.cli.main"
LINES = {int(_signal.SIGINT): "interrupted", int(_signal.SIGTERM): "terminated"}
"""The word for each signal that is answered."""
DEFAULTS = {int(_signal.SIGINT): _signal.default_int_handler, int(_signal.SIGTERM): _signal.SIG_DFL}
"""Only these handlers are replaced: a signal that is ignored, as in background jobs, or handled stays so."""
STOPPING = "stopping after this part; again to stop now"
"""Said of the first signal where a part of a large study is finished first."""
SPOKEN = _thread.allocate_lock()


def answer_signals() -> None:
    """Answer signals from here on, where the program's first use of jaxscale is to import the command."""
    if _is_command():
        for number, default in DEFAULTS.items():
            if _signal.getsignal(number) is default:
                _signal.signal(number, exit_at_signal)


def give_back() -> None:
    """Undo `answer_signals`: the command is imported, and not yet called."""
    for number, default in DEFAULTS.items():
        if _signal.getsignal(number) is exit_at_signal:
            _signal.signal(number, default)


def exit_at_signal(number: int, frame: object) -> None:
    """Say which signal it was and end the process, which has nothing to save."""
    say(number)
    os._exit(128 + number)


def say(number: int, more: str = "") -> None:
    """Write the line of a signal to stderr, once in a process; where stderr takes nothing, nothing is said."""
    if not SPOKEN.acquire(blocking=False):
        return
    put(f"{LINES[number]}; {more}\n" if more else f"{LINES[number]}\n")


def put(words: str) -> None:
    """Write to stderr past its buffer and its lock, which the thread that was stopped may hold."""
    try:  # noqa: SIM105 - contextlib is not imported yet
        os.write(2, words.encode("utf-8", "backslashreplace"))
    except OSError:
        pass


def _is_command() -> bool:
    """Return whether the outermost module of this thread is the program, run to import COMMAND before other parts."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
    parts = [name for name in frame.f_code.co_names if name.partition(".")[0] == "jaxscale"]
    return parts[:1] == [COMMAND] and frame.f_globals.get("__name__") == "__main__" and not hasattr(sys, "ps1")
