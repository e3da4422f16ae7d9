"""Messages name options as they are typed; in Python they are spoken as the arguments of the same name.

A message is written once, with `--map loss=val_loss`. Where the command line shows it, it stays so; an exception that
reaches a caller in Python says `map={'loss': 'val_loss'}`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_typed: ContextVar[bool] = ContextVar("typed", default=False)

FLAGS = ("units", "units-ok", "final", "annealed", "force")
PAIRS = ("map", "scale", "fix", "at")
LISTS = ("per-group",)
TEXTS = (
    "group", "missing", "decimal", "thousands", "sep", "encoding", "scheme", "interval", "law", "constants",
    "objective", "count",
)  # fmt: skip
NUMBERS = ("replicates", "delta", "level", "seed", "max-seconds")
SPECIAL = ("where", "lowest-per", "space")
NAMES = {"constants": "coefs", "count": "conventions"}
"""Options whose argument has another name."""
LINEAR = "positive_loss=False, then js.squared(space='linear') or the like"
WORDS = frozenset(
    {"which", "or", "and", "names", "takes", "compares", "gives", "reads", "asks", "to", "is", "are", "holds"}
)
"""What follows an option that is named without a value."""
_WORD = r"""(?:[^\s'"`]|'[^']*'|"(?:\\.|[^"\\])*")+"""
_KNOWN = "|".join(sorted((*FLAGS, *PAIRS, *LISTS, *TEXTS, *NUMBERS, *SPECIAL), key=len, reverse=True))
_OPTION = re.compile(rf"--({_KNOWN})(?![\w-])(?:(?P<gap> )(?P<value>{_WORD}))?")
_COMMAND = re.compile(r"\b(?:jaxscale|uv|pip|sqlite3) [^\n]*")
_ENDS = ".,;:)"


@contextmanager
def typing(is_typed: bool = True) -> Iterator[None]:
    """Return a scope in which messages are those of the command line, or where `is_typed` is false, of Python."""
    token = _typed.set(is_typed)
    try:
        yield
    finally:
        _typed.reset(token)


def is_typing() -> bool:
    """Return whether messages are those of the command line here."""
    return _typed.get()


def fixing(names: Iterable[str]) -> str:
    """Return how inputs of a law are fixed at a value, as it is said here: `--at`, which is `fixed=` of Python."""
    if _typed.get():
        return " ".join(f"--at {name}=NUMBER" for name in names)
    return f"fixed={{{', '.join(f'{name!r}: …' for name in names)}}}"


def spoken(text: str) -> str:
    """Return a message as it is said here: as it stands on the command line, with arguments of Python elsewhere.

    Commands that a message quotes, from `jaxscale` on, stay as they are to the end of their line.
    """
    if _typed.get() or "--" not in text:
        return text
    parts, at = [], 0
    for command in _COMMAND.finditer(text):
        parts += [_in_python(text[at : command.start()]), command.group()]
        at = command.end()
    return "".join([*parts, _in_python(text[at:])])


def _in_python(text: str) -> str:
    """Return the text with every option as an argument; repeated ones that follow one another are one."""
    parts: list[str] = []
    at = 0
    pending: tuple[str, list[str]] | None = None
    for match in _OPTION.finditer(text):
        name, value, end = match.group(1), match.group("value"), match.end()
        value, end = _value_of(name, value, match.end(1), end)
        between = text[at : match.start()]
        if pending is not None and pending[0] == name and value is not None and between == " ":
            pending[1].append(value)
        else:
            parts += [_argument(*pending)] if pending is not None else []
            parts.append(", " if between == " " and pending is not None and pending[1] else between)
            pending = (name, [] if value is None else [value])
        at = end
    parts += [_argument(*pending)] if pending is not None else []
    return "".join([*parts, text[at:]]).replace("=:", ":")


def _value_of(name: str, value: str | None, bare_end: int, end: int) -> tuple[str | None, int]:
    """Return the value of an option as a shell reads it, and where it ends; none for a word of the sentence."""
    if value is None or name in FLAGS:
        return None, bare_end
    shorter = value if len(value) == 1 else value.rstrip(_ENDS)
    end -= len(value) - len(shorter)
    is_quoted = shorter[:1] in "'\"" and bool(shorter)
    if (name in PAIRS and "=" not in shorter) or (name == "where" and not is_quoted):
        return None, bare_end
    if not shorter or shorter in WORDS or (name in NUMBERS and not shorter[0].isdigit()):
        return None, bare_end
    try:
        return shlex.split(shorter)[0], end
    except (ValueError, IndexError):  # a quote that is text
        return shorter, end


def _argument(name: str, values: list[str]) -> str:
    """Return an option with its values as an argument of Python."""
    word = NAMES.get(name, name.replace("-", "_"))
    if name in FLAGS:
        return f"{word}=True"
    if not values:
        return f"{word}="
    if name in PAIRS:
        pairs = [one.partition("=")[::2] for one in values]
        return f"{word}={{{', '.join(f'{key!r}: {_number_or_text(value, name)}' for key, value in pairs)}}}"
    if name == "where":
        return f"{word}={values!r}"
    if name == "space":
        return LINEAR if values == ["linear"] else f"{word}={values[0]!r}"
    if name == "lowest-per":
        widths = [one.partition("@")[::2] for one in values[0].split(",")]
        return f"{word}={{{', '.join(f'{key!r}: {width or 1}' for key, width in widths)}}}"
    if name in LISTS:
        return f"{word}={values[0].split(',')!r}"
    return f"{word}={values[0]}" if name in NUMBERS else f"{word}={values[0]!r}"


def _number_or_text(value: str, name: str) -> str:
    return repr(value) if name == "map" else value
